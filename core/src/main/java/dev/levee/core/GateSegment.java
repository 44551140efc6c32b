package dev.levee.core;

import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.StackRoom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Adjacent gates of a pipeline, entered and left as one: the clock is read once at the start and once at the end, and
 * the outcome is judged once for each distinct rule.
 *
 * <p>Stamps are primitive and must live in locals to cost nothing, which is why up to four gates have fields of their
 * own ({@link NarrowSegment}) and more than four share an array ({@link WideSegment}). See ADR 4; for calls that were
 * not sent, ADR 68.
 */
abstract class GateSegment implements Inner {
    private static final Logger LOG = LoggerFactory.getLogger(Gate.class);

    final Gate[] gates;
    final Inner next;
    final Environment environment;
    final NanoClock clock;
    final boolean readsStart;
    final boolean readsEnd;
    private final OutcomeRule[] rules;

    /** For each gate the index of the first gate that has the same rule object: the one whose verdict it shares. */
    private final int[] firstWithSameRule;

    /** Whether any gate has a listener, so that every call is timed. */
    private final boolean listening;

    GateSegment(Inner next, Gate... gates) {
        this.gates = gates;
        this.next = next;
        this.environment = gates[0].environment();
        this.clock = environment.clock();
        this.rules = new OutcomeRule[gates.length];
        this.firstWithSameRule = new int[gates.length];
        int timing = 0;
        boolean anyListener = false;
        for (int i = 0; i < gates.length; i++) {
            timing |= gates[i].timing();
            anyListener |= gates[i].environment().listener() != Listener.NONE;
            rules[i] = gates[i].outcomes();
            firstWithSameRule[i] = firstWith(rules[i]);
        }
        this.listening = anyListener;
        this.readsStart = anyListener || (timing & Gate.ENTRY) != 0;
        this.readsEnd = anyListener || (timing & Gate.EXIT) != 0;
    }

    private int firstWith(OutcomeRule rule) {
        int i = 0;
        while (rules[i] != rule) {
            i++;
        }
        return i;
    }

    static GateSegment of(Inner next, Gate... gates) {
        return gates.length <= NarrowSegment.MAX_GATES ? new NarrowSegment(next, gates) : new WideSegment(next, gates);
    }

    /** Whether all gates share one rule object. */
    final boolean oneRule() {
        for (int first : firstWithSameRule) {
            if (first != 0) {
                return false;
            }
        }
        return true;
    }

    final long readStart() {
        return readsStart ? clock.nanoTime() : 0L;
    }

    /** Reads the end of a call; if the clock throws, the call has taken no time: it must be left all the same. */
    final long readEnd(long start) {
        try {
            return readsEnd ? clock.nanoTime() : 0L;
        } catch (Throwable thrown) {
            SafeLog.warn(LOG, "A clock threw; a call counts as if it had taken no time", thrown);
            return start;
        }
    }

    /** Leaves every gate whose stamp is not {@link Gate#REFUSED}: by rule, and within a rule innermost first. */
    final void leave(long[] stamps, long start, @Nullable Object result, @Nullable Throwable error, CallForm form) {
        long end = readEnd(start);
        boolean allEntered = stamps[gates.length - 1] != Gate.REFUSED;
        for (int rule = gates.length - 1; rule >= 0; rule--) {
            if (firstWithSameRule[rule] == rule) {
                leaveWithRule(rule, stamps, start, end, result, error, form, allEntered);
            }
        }
    }

    private void leaveWithRule(
            int rule,
            long[] stamps,
            long start,
            long end,
            @Nullable Object result,
            @Nullable Throwable error,
            CallForm form,
            boolean allEntered) {
        Verdict verdict = null;
        boolean notSent = false;
        long hint = RefusedException.UNKNOWN;
        for (int i = gates.length - 1; i >= rule; i--) {
            if (firstWithSameRule[i] != rule || stamps[i] == Gate.REFUSED) {
                continue;
            }
            if (verdict == null) {
                verdict = form.judge(rules[rule], result, error);
                notSent = isNotSent(verdict, error, allEntered);
                hint = Outcomes.retryAfterNanos(rules[rule], verdict, result, error);
            }
            leave(gates[i], stamps[i], start, end, verdict, hint, notSent);
        }
    }

    /** Whether a call was surely not sent: a gate of this segment did not admit it, or a policy further in. */
    static boolean isNotSent(Verdict verdict, @Nullable Throwable error, boolean allEntered) {
        return verdict == Verdict.IGNORED && (!allEntered || !Outcomes.mayHaveRun(verdict, error));
    }

    /** Leaves a gate. What it throws, against its promise, keeps no other gate from being left. */
    final void leave(Gate gate, long stamp, long start, long end, Verdict verdict, long hint, boolean notSent) {
        try {
            if (notSent) {
                gate.cancel(stamp, start);
            } else {
                gate.exit(stamp, start, end, verdict, hint);
            }
            if (listening) {
                gate.environment().listener().onOutcome(gate.kind(), gate.name(), verdict, end - start);
            }
        } catch (Throwable thrown) {
            logBrokenExit(gate, thrown);
        }
    }

    static void logBrokenExit(Gate gate, Throwable thrown) {
        try {
            SafeLog.warn(LOG, "{} \"{}\": threw when it was left", gate.kind().label(), gate.name(), thrown);
        } catch (Throwable noName) {
            // A gate without a name: the others are more important.
        }
    }

    @Override
    public final <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Supplier<? extends CompletionStage<T>> operation) {
        StackRoom.require();
        return new AsyncGateCall<T>(this, operation).begin();
    }

    /** How the outcome of a call through gates is judged. See ADR 7. */
    enum CallForm {
        /** The call ran on the current thread, which knows whether it was called off. */
        BLOCKING {
            @Override
            Verdict judge(OutcomeRule rule, @Nullable Object result, @Nullable Throwable error) {
                return Outcomes.judgeBlocking(rule, result, error);
            }
        },
        /** The call was a stage, which has ended on some thread. */
        ASYNCHRONOUS {
            @Override
            Verdict judge(OutcomeRule rule, @Nullable Object result, @Nullable Throwable error) {
                return Outcomes.judge(rule, result, error);
            }
        },
        /** The call was a stage, and an attempt before the one that it has ended with may have run. See ADR 68. */
        REPEATED {
            @Override
            Verdict judge(OutcomeRule rule, @Nullable Object result, @Nullable Throwable error) {
                Verdict verdict = Outcomes.judge(rule, result, error);
                return verdict == Verdict.NOT_SENT ? Verdict.FAILURE : verdict;
            }
        },
        /** The call was a stage that its caller had cancelled, or its thread was interrupted from outside. */
        CANCELLED {
            @Override
            Verdict judge(OutcomeRule rule, @Nullable Object result, @Nullable Throwable error) {
                return Verdict.IGNORED;
            }
        };

        abstract Verdict judge(OutcomeRule rule, @Nullable Object result, @Nullable Throwable error);
    }
}
