package dev.levee.core;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.levee.core.policy.Bulkhead;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** The reason of a cancel ({@link CallFuture}), and the phase of an asynchronous call through gates. */
public class CallFutureStress {
    /** Two reasons at once: both threads read the same one afterwards. */
    @JCStressTest
    @Outcome(
            id = {"true, true", "false, false"},
            expect = ACCEPTABLE,
            desc = "the same for both")
    @Outcome(expect = FORBIDDEN, desc = "the reason changed")
    @State
    public static class OneReason {
        private final CallFuture<String> future = new CallFuture<>();
        private final Throwable first = new CancellationException("first");
        private final Throwable second = new CancellationException("second");

        @Actor
        public void first(ZZ_Result result) {
            future.requestCancel(first);
            result.r1 = future.cancelReason() == first;
        }

        @Actor
        public void second(ZZ_Result result) {
            future.requestCancel(second);
            result.r2 = future.cancelReason() == first;
        }
    }

    /** The stage ends while the call is cancelled: the permit is given back once. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "one permit is free")
    @Outcome(expect = FORBIDDEN, desc = "it was lost or given back twice")
    @State
    public static class PermitGivenBackOnce {
        private final Bulkhead bulkhead = Bulkhead.of("bulkhead", 2);
        private final CompletableFuture<String> stage = new CompletableFuture<>();
        private final CompletableFuture<String> call = bulkhead.callAsync(() -> stage);

        public PermitGivenBackOnce() {
            bulkhead.callAsync(CompletableFuture<String>::new);
        }

        @Actor
        public void end() {
            stage.complete("result");
        }

        @Actor
        public void cancel() {
            call.cancel(true);
        }

        @Arbiter
        public void count(I_Result result) {
            int free = 0;
            while (bulkhead.tryEnter(0) != Gate.REFUSED) {
                free++;
            }
            result.r1 = free;
        }
    }
}
