package dev.levee.core.internal;

/**
 * Makes sure that a call which is guarded has stack left for what follows it: giving permits back, taking timers back,
 * restoring the context, on the same frame and whatever the guarded code has thrown, a {@link StackOverflowError} too.
 *
 * <p>A method that needs more stack than is left throws a {@code StackOverflowError} on entry. So a policy calls
 * {@link #require} before it takes anything, and then either nothing has been taken, or {@link #BYTES} are there when
 * the guarded code has ended: its own frames are gone by then.
 *
 * <p>It costs next to nothing. {@code require} has local variables that are never used and make its frame large in the
 * interpreter, which checks for as much. A compiler inlines the method, and makes the compiled code check on entry for
 * what it would need if it had to go on in the interpreter, at the branch that is never taken. It reads one field, and
 * touches a few more pages of the stack, which it does not occupy. Seen to hold on HotSpot 17 and 25; a JVM that does
 * otherwise gives less room. See ADR 72.
 */
public final class StackRoom {
    /** How much stack there is at least after {@link #require}. */
    public static final int BYTES = 512 * Long.BYTES * 2;

    /** Not final, so that no compiler may leave the branch out. */
    @SuppressWarnings("FieldMayBeFinal")
    private static boolean never;

    private StackRoom() {}

    /**
     * Throws unless {@link #BYTES} of the stack of this thread are left.
     *
     * @throws StackOverflowError if there is less
     */
    @SuppressWarnings({"UnusedVariable", "MultiVariableDeclaration"}) // they are what makes the frame large
    public static void require() {
        long aa0, aa1, aa2, aa3, ab0, ab1, ab2, ab3, ac0, ac1, ac2, ac3, ad0, ad1, ad2, ad3, ae0, ae1, ae2, ae3, af0,
                af1, af2, af3, ag0, ag1, ag2, ag3, ah0, ah1, ah2, ah3, ai0, ai1, ai2, ai3, aj0, aj1, aj2, aj3, ak0, ak1,
                ak2, ak3, al0, al1, al2, al3, am0, am1, am2, am3, an0, an1, an2, an3, ao0, ao1, ao2, ao3, ap0, ap1, ap2,
                ap3, ba0, ba1, ba2, ba3, bb0, bb1, bb2, bb3, bc0, bc1, bc2, bc3, bd0, bd1, bd2, bd3, be0, be1, be2, be3,
                bf0, bf1, bf2, bf3, bg0, bg1, bg2, bg3, bh0, bh1, bh2, bh3, bi0, bi1, bi2, bi3, bj0, bj1, bj2, bj3, bk0,
                bk1, bk2, bk3, bl0, bl1, bl2, bl3, bm0, bm1, bm2, bm3, bn0, bn1, bn2, bn3, bo0, bo1, bo2, bo3, bp0, bp1,
                bp2, bp3, ca0, ca1, ca2, ca3, cb0, cb1, cb2, cb3, cc0, cc1, cc2, cc3, cd0, cd1, cd2, cd3, ce0, ce1, ce2,
                ce3, cf0, cf1, cf2, cf3, cg0, cg1, cg2, cg3, ch0, ch1, ch2, ch3, ci0, ci1, ci2, ci3, cj0, cj1, cj2, cj3,
                ck0, ck1, ck2, ck3, cl0, cl1, cl2, cl3, cm0, cm1, cm2, cm3, cn0, cn1, cn2, cn3, co0, co1, co2, co3, cp0,
                cp1, cp2, cp3, da0, da1, da2, da3, db0, db1, db2, db3, dc0, dc1, dc2, dc3, dd0, dd1, dd2, dd3, de0, de1,
                de2, de3, df0, df1, df2, df3, dg0, dg1, dg2, dg3, dh0, dh1, dh2, dh3, di0, di1, di2, di3, dj0, dj1, dj2,
                dj3, dk0, dk1, dk2, dk3, dl0, dl1, dl2, dl3, dm0, dm1, dm2, dm3, dn0, dn1, dn2, dn3, do0, do1, do2, do3,
                dp0, dp1, dp2, dp3, ea0, ea1, ea2, ea3, eb0, eb1, eb2, eb3, ec0, ec1, ec2, ec3, ed0, ed1, ed2, ed3, ee0,
                ee1, ee2, ee3, ef0, ef1, ef2, ef3, eg0, eg1, eg2, eg3, eh0, eh1, eh2, eh3, ei0, ei1, ei2, ei3, ej0, ej1,
                ej2, ej3, ek0, ek1, ek2, ek3, el0, el1, el2, el3, em0, em1, em2, em3, en0, en1, en2, en3, eo0, eo1, eo2,
                eo3, ep0, ep1, ep2, ep3, fa0, fa1, fa2, fa3, fb0, fb1, fb2, fb3, fc0, fc1, fc2, fc3, fd0, fd1, fd2, fd3,
                fe0, fe1, fe2, fe3, ff0, ff1, ff2, ff3, fg0, fg1, fg2, fg3, fh0, fh1, fh2, fh3, fi0, fi1, fi2, fi3, fj0,
                fj1, fj2, fj3, fk0, fk1, fk2, fk3, fl0, fl1, fl2, fl3, fm0, fm1, fm2, fm3, fn0, fn1, fn2, fn3, fo0, fo1,
                fo2, fo3, fp0, fp1, fp2, fp3, ga0, ga1, ga2, ga3, gb0, gb1, gb2, gb3, gc0, gc1, gc2, gc3, gd0, gd1, gd2,
                gd3, ge0, ge1, ge2, ge3, gf0, gf1, gf2, gf3, gg0, gg1, gg2, gg3, gh0, gh1, gh2, gh3, gi0, gi1, gi2, gi3,
                gj0, gj1, gj2, gj3, gk0, gk1, gk2, gk3, gl0, gl1, gl2, gl3, gm0, gm1, gm2, gm3, gn0, gn1, gn2, gn3, go0,
                go1, go2, go3, gp0, gp1, gp2, gp3, ha0, ha1, ha2, ha3, hb0, hb1, hb2, hb3, hc0, hc1, hc2, hc3, hd0, hd1,
                hd2, hd3, he0, he1, he2, he3, hf0, hf1, hf2, hf3, hg0, hg1, hg2, hg3, hh0, hh1, hh2, hh3, hi0, hi1, hi2,
                hi3, hj0, hj1, hj2, hj3, hk0, hk1, hk2, hk3, hl0, hl1, hl2, hl3, hm0, hm1, hm2, hm3, hn0, hn1, hn2, hn3,
                ho0, ho1, ho2, ho3, hp0, hp1, hp2, hp3;
        if (never) {
            neverCalled();
        }
    }

    private static void neverCalled() {
        throw new IllegalStateException("only here to be compiled");
    }
}
