package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/** Every interleaving of a few picks and answers: no answer is used too often, and no endpoint is in the pool twice. */
class ProbingInterleavingsTest {
    @Test
    void an_answer_is_used_as_often_as_it_may_be_and_never_after_it_was_taken_away() {
        options().check(UsingAnswers.class);
    }

    @Test
    void a_use_that_looks_first_and_counts_then_is_caught() {
        assertThatThrownBy(() -> options().check(UsingAnswersCarelessly.class)).satisfies(PlantedFault::isCaught);
    }

    @Test
    void answers_that_come_at_the_same_time_leave_the_pool_in_order() {
        options().check(AnsweringAtOnce.class);
    }

    @Test
    void a_pool_that_is_changed_by_several_at_a_time_is_caught() {
        assertThatThrownBy(() -> options().check(AnsweringInDisorder.class)).satisfies(PlantedFault::isCaught);
    }

    private static ModelCheckingOptions options() {
        return ModelChecking.options()
                .threads(2)
                .actorsPerThread(2)
                .actorsBefore(0)
                .actorsAfter(0)
                .iterations(LongForm.iterations(5))
                .invocationsPerIteration(LongForm.invocations(300));
    }

    private static ProbingConfig config() {
        return ProbingConfig.builder()
                .probe(endpoint -> new CompletableFuture<>())
                .poolSize(2)
                .build();
    }

    /** One answer that is good for two calls; linearizable. */
    public static class UsingAnswers {
        private final ProbedEndpoint endpoint =
                new ProbePool(config(), ProbedCandidates.roundingDown()).newEndpoint(Endpoint.of("a"));

        public UsingAnswers() {
            endpoint.answer(3, 100, 2, 0);
        }

        @Operation
        public boolean use() {
            return endpoint.use();
        }

        @Operation
        public int usedAs() {
            return ProbeAnswer.inFlight(endpoint.answer());
        }

        @Operation
        public void takeAway() {
            endpoint.forget();
        }

        @Operation
        public void answerAgain() {
            endpoint.answer(7, 100, 1, 0);
        }
    }

    public static class UsingAnswersCarelessly {
        private volatile int usesLeft = 2;

        @Operation
        public boolean use() {
            int seen = usesLeft;
            if (seen == 0) {
                return false;
            }
            usesLeft = seen - 1;
            return true;
        }

        @Operation
        public void takeAway() {
            usesLeft = 0;
        }
    }

    /**
     * Three endpoints, two places. What is dropped depends on the order, so the order in the pool is what is looked at.
     */
    public static class AnsweringAtOnce {
        final ProbePool pool = newPool();
        private final ProbedEndpoint[] endpoints = {
            pool.newEndpoint(Endpoint.of("a")), pool.newEndpoint(Endpoint.of("b")), pool.newEndpoint(Endpoint.of("c"))
        };
        private final AtomicInteger time = new AtomicInteger();

        ProbePool newPool() {
            ProbePool made = new ProbePool(config(), ProbedCandidates.roundingDown());
            made.size(3);
            return made;
        }

        private void answer(int index) {
            pool.answered(endpoints[index], index, 1_000, time.incrementAndGet());
        }

        @Operation
        public void a() {
            answer(0);
        }

        @Operation
        public void b() {
            answer(1);
        }

        @Operation
        public void c() {
            answer(2);
        }

        @Operation
        public void call() {
            pool.called(2, time.incrementAndGet());
        }

        @Validate
        public void eachIsThereOnceAndWhatIsNotThereHasNoAnswer() {
            for (ProbedEndpoint endpoint : endpoints) {
                int found = 0;
                for (int place = 0; place < pool.places(); place++) {
                    found += pool.at(place) == endpoint ? 1 : 0;
                }
                if (found > 1 || (found == 0 && ProbeAnswer.usesLeft(endpoint.answer()) > 0)) {
                    throw new IllegalStateException(endpoint.endpoint.id() + " is there " + found + " times");
                }
            }
        }
    }

    public static class AnsweringInDisorder extends AnsweringAtOnce {
        @Override
        ProbePool newPool() {
            ProbePool made = new ProbePool(config(), ProbedCandidates.roundingDown()) {
                @Override
                boolean beginChange() {
                    return true;
                }
            };
            made.size(3);
            return made;
        }
    }
}
