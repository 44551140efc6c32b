package dev.levee.core;

import org.jspecify.annotations.Nullable;

/** One to four adjacent gates, whose stamps live in locals: nothing is allocated. */
final class NarrowSegment extends GateSegment {
    static final int MAX_GATES = 4;

    private final Gate first;
    private final @Nullable Gate second;
    private final @Nullable Gate third;
    private final @Nullable Gate fourth;
    private final OutcomeRule rule;
    private final boolean oneRule;

    NarrowSegment(Inner next, Gate... gates) {
        super(next, gates);
        first = gates[0];
        second = gates.length > 1 ? gates[1] : null;
        third = gates.length > 2 ? gates[2] : null;
        fourth = gates.length > 3 ? gates[3] : null;
        rule = first.outcomes();
        oneRule = oneRule();
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
        long start = readStart();
        long a = Gate.REFUSED;
        long b = Gate.REFUSED;
        long c = Gate.REFUSED;
        long d = Gate.REFUSED;
        T result;
        try {
            a = first.tryEnter(start);
            if (a == Gate.REFUSED) {
                a = GateWait.enterOrThrow(first, operation);
                start = readStart();
            }
            if (second != null) {
                b = second.tryEnter(start);
                if (b == Gate.REFUSED) {
                    b = GateWait.enterOrThrow(second, operation);
                    start = readStart();
                }
            }
            if (third != null) {
                c = third.tryEnter(start);
                if (c == Gate.REFUSED) {
                    c = GateWait.enterOrThrow(third, operation);
                    start = readStart();
                }
            }
            if (fourth != null) {
                d = fourth.tryEnter(start);
                if (d == Gate.REFUSED) {
                    d = GateWait.enterOrThrow(fourth, operation);
                    start = readStart();
                }
            }
            result = next.call(operation);
        } catch (Throwable error) {
            leave(a, b, c, d, start, null, error);
            throw error;
        }
        leave(a, b, c, d, start, result, null);
        return result;
    }

    private void leave(long a, long b, long c, long d, long start, @Nullable Object result, @Nullable Throwable error) {
        if (!oneRule) {
            leaveByRule(a, b, c, d, start, result, error);
            return;
        }
        long end = readEnd();
        Verdict verdict = Outcomes.judge(rule, result, error);
        long hint = Outcomes.retryAfterNanos(rule, verdict, result, error);
        if (fourth != null && d != Gate.REFUSED) {
            fourth.exit(d, start, end, verdict, hint);
            heard(fourth, verdict, start, end);
        }
        if (third != null && c != Gate.REFUSED) {
            third.exit(c, start, end, verdict, hint);
            heard(third, verdict, start, end);
        }
        if (second != null && b != Gate.REFUSED) {
            second.exit(b, start, end, verdict, hint);
            heard(second, verdict, start, end);
        }
        if (a != Gate.REFUSED) {
            first.exit(a, start, end, verdict, hint);
            heard(first, verdict, start, end);
        }
    }

    /** Gates that judge differently: off the common path, but still free of garbage once the array is known not to escape. */
    private void leaveByRule(
            long a, long b, long c, long d, long start, @Nullable Object result, @Nullable Throwable error) {
        long[] stamps = {a, b, c, d};
        leave(stamps, start, result, error);
    }
}
