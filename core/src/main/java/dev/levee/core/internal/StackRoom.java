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
    public static final int BYTES = 1024 * Long.BYTES * 2;

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
                af1, af2, af3, ag0, ag1, ag2, ag3, ah0, ah1, ah2, ah3, ai0, ai1, ai2, ai3, aj0, aj1, aj2, aj3, ak0,
                ak1, ak2, ak3, al0, al1, al2, al3, am0, am1, am2, am3, an0, an1, an2, an3, ao0, ao1, ao2, ao3, ap0,
                ap1, ap2, ap3, ba0, ba1, ba2, ba3, bb0, bb1, bb2, bb3, bc0, bc1, bc2, bc3, bd0, bd1, bd2, bd3, be0,
                be1, be2, be3, bf0, bf1, bf2, bf3, bg0, bg1, bg2, bg3, bh0, bh1, bh2, bh3, bi0, bi1, bi2, bi3, bj0,
                bj1, bj2, bj3, bk0, bk1, bk2, bk3, bl0, bl1, bl2, bl3, bm0, bm1, bm2, bm3, bn0, bn1, bn2, bn3, bo0,
                bo1, bo2, bo3, bp0, bp1, bp2, bp3, ca0, ca1, ca2, ca3, cb0, cb1, cb2, cb3, cc0, cc1, cc2, cc3, cd0,
                cd1, cd2, cd3, ce0, ce1, ce2, ce3, cf0, cf1, cf2, cf3, cg0, cg1, cg2, cg3, ch0, ch1, ch2, ch3, ci0,
                ci1, ci2, ci3, cj0, cj1, cj2, cj3, ck0, ck1, ck2, ck3, cl0, cl1, cl2, cl3, cm0, cm1, cm2, cm3, cn0,
                cn1, cn2, cn3, co0, co1, co2, co3, cp0, cp1, cp2, cp3, da0, da1, da2, da3, db0, db1, db2, db3, dc0,
                dc1, dc2, dc3, dd0, dd1, dd2, dd3, de0, de1, de2, de3, df0, df1, df2, df3, dg0, dg1, dg2, dg3, dh0,
                dh1, dh2, dh3, di0, di1, di2, di3, dj0, dj1, dj2, dj3, dk0, dk1, dk2, dk3, dl0, dl1, dl2, dl3, dm0,
                dm1, dm2, dm3, dn0, dn1, dn2, dn3, do0, do1, do2, do3, dp0, dp1, dp2, dp3, ea0, ea1, ea2, ea3, eb0,
                eb1, eb2, eb3, ec0, ec1, ec2, ec3, ed0, ed1, ed2, ed3, ee0, ee1, ee2, ee3, ef0, ef1, ef2, ef3, eg0,
                eg1, eg2, eg3, eh0, eh1, eh2, eh3, ei0, ei1, ei2, ei3, ej0, ej1, ej2, ej3, ek0, ek1, ek2, ek3, el0,
                el1, el2, el3, em0, em1, em2, em3, en0, en1, en2, en3, eo0, eo1, eo2, eo3, ep0, ep1, ep2, ep3, fa0,
                fa1, fa2, fa3, fb0, fb1, fb2, fb3, fc0, fc1, fc2, fc3, fd0, fd1, fd2, fd3, fe0, fe1, fe2, fe3, ff0,
                ff1, ff2, ff3, fg0, fg1, fg2, fg3, fh0, fh1, fh2, fh3, fi0, fi1, fi2, fi3, fj0, fj1, fj2, fj3, fk0,
                fk1, fk2, fk3, fl0, fl1, fl2, fl3, fm0, fm1, fm2, fm3, fn0, fn1, fn2, fn3, fo0, fo1, fo2, fo3, fp0,
                fp1, fp2, fp3, ga0, ga1, ga2, ga3, gb0, gb1, gb2, gb3, gc0, gc1, gc2, gc3, gd0, gd1, gd2, gd3, ge0,
                ge1, ge2, ge3, gf0, gf1, gf2, gf3, gg0, gg1, gg2, gg3, gh0, gh1, gh2, gh3, gi0, gi1, gi2, gi3, gj0,
                gj1, gj2, gj3, gk0, gk1, gk2, gk3, gl0, gl1, gl2, gl3, gm0, gm1, gm2, gm3, gn0, gn1, gn2, gn3, go0,
                go1, go2, go3, gp0, gp1, gp2, gp3, ha0, ha1, ha2, ha3, hb0, hb1, hb2, hb3, hc0, hc1, hc2, hc3, hd0,
                hd1, hd2, hd3, he0, he1, he2, he3, hf0, hf1, hf2, hf3, hg0, hg1, hg2, hg3, hh0, hh1, hh2, hh3, hi0,
                hi1, hi2, hi3, hj0, hj1, hj2, hj3, hk0, hk1, hk2, hk3, hl0, hl1, hl2, hl3, hm0, hm1, hm2, hm3, hn0,
                hn1, hn2, hn3, ho0, ho1, ho2, ho3, hp0, hp1, hp2, hp3, ia0, ia1, ia2, ia3, ib0, ib1, ib2, ib3, ic0,
                ic1, ic2, ic3, id0, id1, id2, id3, ie0, ie1, ie2, ie3, if0, if1, if2, if3, ig0, ig1, ig2, ig3, ih0,
                ih1, ih2, ih3, ii0, ii1, ii2, ii3, ij0, ij1, ij2, ij3, ik0, ik1, ik2, ik3, il0, il1, il2, il3, im0,
                im1, im2, im3, in0, in1, in2, in3, io0, io1, io2, io3, ip0, ip1, ip2, ip3, ja0, ja1, ja2, ja3, jb0,
                jb1, jb2, jb3, jc0, jc1, jc2, jc3, jd0, jd1, jd2, jd3, je0, je1, je2, je3, jf0, jf1, jf2, jf3, jg0,
                jg1, jg2, jg3, jh0, jh1, jh2, jh3, ji0, ji1, ji2, ji3, jj0, jj1, jj2, jj3, jk0, jk1, jk2, jk3, jl0,
                jl1, jl2, jl3, jm0, jm1, jm2, jm3, jn0, jn1, jn2, jn3, jo0, jo1, jo2, jo3, jp0, jp1, jp2, jp3, ka0,
                ka1, ka2, ka3, kb0, kb1, kb2, kb3, kc0, kc1, kc2, kc3, kd0, kd1, kd2, kd3, ke0, ke1, ke2, ke3, kf0,
                kf1, kf2, kf3, kg0, kg1, kg2, kg3, kh0, kh1, kh2, kh3, ki0, ki1, ki2, ki3, kj0, kj1, kj2, kj3, kk0,
                kk1, kk2, kk3, kl0, kl1, kl2, kl3, km0, km1, km2, km3, kn0, kn1, kn2, kn3, ko0, ko1, ko2, ko3, kp0,
                kp1, kp2, kp3, la0, la1, la2, la3, lb0, lb1, lb2, lb3, lc0, lc1, lc2, lc3, ld0, ld1, ld2, ld3, le0,
                le1, le2, le3, lf0, lf1, lf2, lf3, lg0, lg1, lg2, lg3, lh0, lh1, lh2, lh3, li0, li1, li2, li3, lj0,
                lj1, lj2, lj3, lk0, lk1, lk2, lk3, ll0, ll1, ll2, ll3, lm0, lm1, lm2, lm3, ln0, ln1, ln2, ln3, lo0,
                lo1, lo2, lo3, lp0, lp1, lp2, lp3, ma0, ma1, ma2, ma3, mb0, mb1, mb2, mb3, mc0, mc1, mc2, mc3, md0,
                md1, md2, md3, me0, me1, me2, me3, mf0, mf1, mf2, mf3, mg0, mg1, mg2, mg3, mh0, mh1, mh2, mh3, mi0,
                mi1, mi2, mi3, mj0, mj1, mj2, mj3, mk0, mk1, mk2, mk3, ml0, ml1, ml2, ml3, mm0, mm1, mm2, mm3, mn0,
                mn1, mn2, mn3, mo0, mo1, mo2, mo3, mp0, mp1, mp2, mp3, na0, na1, na2, na3, nb0, nb1, nb2, nb3, nc0,
                nc1, nc2, nc3, nd0, nd1, nd2, nd3, ne0, ne1, ne2, ne3, nf0, nf1, nf2, nf3, ng0, ng1, ng2, ng3, nh0,
                nh1, nh2, nh3, ni0, ni1, ni2, ni3, nj0, nj1, nj2, nj3, nk0, nk1, nk2, nk3, nl0, nl1, nl2, nl3, nm0,
                nm1, nm2, nm3, nn0, nn1, nn2, nn3, no0, no1, no2, no3, np0, np1, np2, np3, oa0, oa1, oa2, oa3, ob0,
                ob1, ob2, ob3, oc0, oc1, oc2, oc3, od0, od1, od2, od3, oe0, oe1, oe2, oe3, of0, of1, of2, of3, og0,
                og1, og2, og3, oh0, oh1, oh2, oh3, oi0, oi1, oi2, oi3, oj0, oj1, oj2, oj3, ok0, ok1, ok2, ok3, ol0,
                ol1, ol2, ol3, om0, om1, om2, om3, on0, on1, on2, on3, oo0, oo1, oo2, oo3, op0, op1, op2, op3, pa0,
                pa1, pa2, pa3, pb0, pb1, pb2, pb3, pc0, pc1, pc2, pc3, pd0, pd1, pd2, pd3, pe0, pe1, pe2, pe3, pf0,
                pf1, pf2, pf3, pg0, pg1, pg2, pg3, ph0, ph1, ph2, ph3, pi0, pi1, pi2, pi3, pj0, pj1, pj2, pj3, pk0,
                pk1, pk2, pk3, pl0, pl1, pl2, pl3, pm0, pm1, pm2, pm3, pn0, pn1, pn2, pn3, po0, po1, po2, po3, pp0,
                pp1, pp2, pp3;
        if (never) {
            neverCalled();
        }
    }

    private static void neverCalled() {
        throw new IllegalStateException("only here to be compiled");
    }
}
