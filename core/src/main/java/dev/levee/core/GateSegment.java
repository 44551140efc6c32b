package dev.levee.core;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Gates that stand next to each other: the clock is read once at the start and once at the end, with one judgement for each distinct rule.
 *
 * <p>Stamps are primitive and must live in locals, which is why up to four gates have fields of their own
 * ({@link NarrowSegment}) and more than four share an array ({@link WideSegment}).
 */
abstract class GateSegment implements Inner {
    final Gate[] gates;
    final Inner next;
    final Environment environment;
    final NanoClock clock;
    final boolean readsStart;
    final boolean readsEnd;
    private final OutcomeRule[] rules;
    /** For each gate the first gate that has the same rule. */
    private final int[] judge;

    private final boolean listening;

    GateSegment(Inner next, Gate... gates) {
        this.gates = gates;
        this.next = next;
        this.environment = gates[0].environment();
        this.clock = environment.clock();
        this.rules = new OutcomeRule[gates.length];
        this.judge = new int[gates.length];
        int timing = 0;
        boolean heard = false;
        for (int i = 0; i < gates.length; i++) {
            timing |= gates[i].timing();
            heard |= gates[i].environment().listener() != Listener.NONE;
            rules[i] = gates[i].outcomes();
            judge[i] = firstWith(rules[i]);
        }
        this.listening = heard;
        this.readsStart = heard || (timing & Gate.ENTRY) != 0;
        this.readsEnd = heard || (timing & Gate.EXIT) != 0;
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

    final boolean oneRule() {
        for (int first : judge) {
            if (first != 0) {
                return false;
            }
        }
        return true;
    }

    final long readStart() {
        return readsStart ? clock.nanoTime() : 0L;
    }

    final long readEnd() {
        return readsEnd ? clock.nanoTime() : 0L;
    }

    /** Leaves every gate whose stamp is not {@link Gate#REFUSED}, innermost first. */
    final void leave(long[] stamps, long start, @Nullable Object result, @Nullable Throwable error) {
        long end = readEnd();
        for (int rule = gates.length - 1; rule >= 0; rule--) {
            if (judge[rule] == rule) {
                leaveThoseOf(rule, stamps, start, end, result, error);
            }
        }
    }

    private void leaveThoseOf(
            int rule, long[] stamps, long start, long end, @Nullable Object result, @Nullable Throwable error) {
        Verdict verdict = null;
        long hint = RefusedException.UNKNOWN;
        for (int i = gates.length - 1; i >= rule; i--) {
            if (judge[i] != rule || stamps[i] == Gate.REFUSED) {
                continue;
            }
            if (verdict == null) {
                verdict = Outcomes.judge(rules[rule], result, error);
                hint = Outcomes.retryAfterNanos(rules[rule], verdict, result, error);
            }
            gates[i].exit(stamps[i], start, end, verdict, hint);
            heard(gates[i], verdict, start, end);
        }
    }

    final void heard(Gate gate, Verdict verdict, long start, long end) {
        if (listening) {
            gate.environment().listener().onOutcome(gate.name(), verdict, end - start);
        }
    }

    @Override
    public final <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Supplier<? extends CompletionStage<T>> operation) {
        return new AsyncGateCall<T>(this, operation).begin();
    }
}
