package dev.levee.circuitbreaker;

import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;

/** Calls through a breaker, without lambdas and exceptions. */
final class Calls {
    private Calls() {}

    static long enter(CircuitBreaker breaker) {
        return breaker.tryEnter(breaker.environment().clock().nanoTime());
    }

    static void end(CircuitBreaker breaker, long stamp, Verdict verdict) {
        long now = breaker.environment().clock().nanoTime();
        breaker.exit(stamp, now, now, verdict, RefusedException.UNKNOWN);
    }

    static boolean call(CircuitBreaker breaker, Verdict verdict) {
        long stamp = enter(breaker);
        if (stamp == Gate.REFUSED) {
            return false;
        }
        end(breaker, stamp, verdict);
        return true;
    }

    static void succeed(CircuitBreaker breaker, int times) {
        repeat(breaker, Verdict.SUCCESS, times);
    }

    static void fail(CircuitBreaker breaker, int times) {
        repeat(breaker, Verdict.FAILURE, times);
    }

    /** As many as are admitted. */
    static void tryToFail(CircuitBreaker breaker, int times) {
        for (int i = 0; i < times; i++) {
            call(breaker, Verdict.FAILURE);
        }
    }

    static void slow(CircuitBreaker breaker, long nanos) {
        long now = breaker.environment().clock().nanoTime();
        long stamp = breaker.tryEnter(now - nanos);
        breaker.exit(stamp, now - nanos, now, Verdict.SUCCESS, RefusedException.UNKNOWN);
    }

    private static void repeat(CircuitBreaker breaker, Verdict verdict, int times) {
        for (int i = 0; i < times; i++) {
            if (!call(breaker, verdict)) {
                throw new AssertionError("call " + (i + 1) + " of " + times + " was refused: " + breaker);
            }
        }
    }
}
