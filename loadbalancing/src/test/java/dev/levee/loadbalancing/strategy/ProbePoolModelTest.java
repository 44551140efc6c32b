package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.jspecify.annotations.Nullable;

/** Random histories of a pool against a plain list of answers that does what the paper says, word for word. */
class ProbePoolModelTest {
    private static final long SECOND = 1_000_000_000L;

    private static final class Answer {
        final int index;
        final long latency;
        final long at;
        int inFlight;
        int uses;

        Answer(int index, int inFlight, long latency, int uses, long at) {
            this.index = index;
            this.inFlight = inFlight;
            this.latency = latency;
            this.uses = uses;
            this.at = at;
        }
    }

    private static final class Model {
        final int size;
        final int capacity;
        final double quantile;
        final double rate;
        final List<Answer> answers = new ArrayList<>();
        final Deque<Integer> history = new ArrayDeque<>();
        boolean oldestIsNext = true;
        double toRemove;
        double calls;
        double answered;
        int fresh;
        double answersPerCall;

        Model(int size, int capacity, double quantile, double rate) {
            this.size = size;
            this.capacity = capacity;
            this.quantile = quantile;
            this.rate = rate;
            this.answersPerCall = rate;
        }

        double hottestCold() {
            if (quantile == 0) {
                return -1;
            }
            if (quantile == 1 || history.isEmpty()) {
                return Double.POSITIVE_INFINITY;
            }
            List<Integer> sorted = history.stream().sorted().toList();
            return sorted.get((int) Math.ceil(quantile * sorted.size()) - 1);
        }

        void expire(long now) {
            answers.removeIf(answer -> answer.uses == 0 || now - answer.at > SECOND);
        }

        void answer(int index, int inFlight, long latency, long now) {
            expire(now);
            fresh++;
            history.addLast(inFlight);
            if (history.size() > 64) {
                history.removeFirst();
            }
            answers.removeIf(answer -> answer.index == index);
            if (answers.size() == capacity) {
                answers.remove(oldest());
            }
            double news = 1 - Math.min(capacity / (double) size, 0.5);
            double mean = 2 / (news * answersPerCall - Math.min(1, answersPerCall * (1 / 3.0)));
            answers.add(new Answer(index, inFlight, latency, (int) Math.min(Math.max(mean, 1), 4094), now));
        }

        Answer oldest() {
            return answers.stream()
                    .min(Comparator.comparingLong(answer -> answer.at))
                    .orElseThrow();
        }

        Comparator<Answer> better() {
            double hot = hottestCold();
            return Comparator.<Answer>comparingInt(answer -> answer.inFlight > hot ? 1 : 0)
                    .thenComparingLong(answer -> answer.inFlight > hot ? answer.inFlight : answer.latency)
                    .thenComparingLong(answer -> answer.inFlight > hot ? answer.latency : answer.inFlight);
        }

        Answer worst() {
            return answers.stream().max(better()).orElseThrow();
        }

        void called(int count, long now) {
            calls = calls * 0.98 + count;
            answered = answered * 0.98 + fresh;
            fresh = 0;
            answersPerCall = Math.min(rate, (answered + 2 * rate) / (calls + 2));
            toRemove = Math.min(capacity, toRemove + count * Math.min(1, answersPerCall * (1 / 3.0)));
            while (toRemove >= 1) {
                toRemove -= 1;
                expire(now);
                if (answers.size() > Math.max(2, Math.min(capacity, size) / 2)) {
                    answers.remove(oldestIsNext ? oldest() : worst());
                    oldestIsNext = !oldestIsNext;
                }
            }
        }

        @Nullable Answer pick(long now) {
            expire(now);
            if (answers.size() < 2) {
                return null;
            }
            Answer pick = answers.stream().min(better()).orElseThrow();
            pick.uses--;
            pick.inFlight++;
            return pick;
        }
    }

    @Property(tries = 200, edgeCases = net.jqwik.api.EdgeCasesMode.NONE)
    void the_pool_does_what_the_list_does(
            @ForAll long seed,
            @ForAll @IntRange(min = 2, max = 40) int size,
            @ForAll @IntRange(min = 2, max = 16) int capacity,
            @ForAll @DoubleRange(min = 0, max = 1) double quantile,
            @ForAll @DoubleRange(min = 0.1, max = 6) double rate) {
        Random random = new Random(seed);
        ProbedCandidates set = new ProbedCandidates(
                size,
                seed,
                c -> c.probe(endpoint -> new CompletableFuture<>())
                        .poolSize(capacity)
                        .hotQuantile(quantile)
                        .probesPerCall(rate));
        ProbingPicker picker = set.picker();
        Model model = new Model(size, capacity, quantile, rate);
        set.now = random.nextLong(); // wraps as well
        int distinct =
                0; // all latencies differ and so do all times, so that there are no ties but those of requests in
        // flight
        for (int step = 0; step < 400; step++) {
            set.now += 1 + random.nextInt(random.nextInt(60) == 0 ? 1_200_000_000 : 5_000_000);
            long relative = set.now; // compared by difference in both
            int chance = random.nextInt(10);
            if (chance < 5) {
                int index = random.nextInt(size);
                int inFlight = random.nextInt(12);
                long latency = 1_000_000L + 1_000L * (distinct++ * 7919 % 400); // all have exact codes
                set.pool.answered(set.endpoints[index], inFlight, latency, relative);
                model.answer(index, inFlight, latency, relative);
            } else if (chance < 9) {
                Answer expected = model.pick(relative);
                long before = uses(set);
                int picked = picker.pick(0);
                if (expected == null) {
                    assertThat(uses(set)).as("two choices use no answer").isEqualTo(before);
                } else {
                    assertThat(picked).as("step %s", step).isEqualTo(expected.index);
                }
            } else {
                int calls = random.nextInt(4);
                set.pool.called(calls, relative);
                model.called(calls, relative);
            }
            model.expire(relative);
            for (Answer answer : model.answers) {
                long held = set.endpoints[answer.index].answer();
                assertThat(ProbeAnswer.inFlight(held)).isEqualTo(answer.inFlight);
                assertThat(ProbeAnswer.usesLeft(held)).isEqualTo(answer.uses);
                assertThat(ProbeAnswer.nanosOf(ProbeAnswer.latencyCode(held))).isEqualTo(answer.latency);
            }
            assertThat(fresh(set)).isEqualTo(model.answers.size());
        }
    }

    private static long fresh(ProbedCandidates set) {
        long fresh = 0;
        for (int place = 0; place < set.pool.places(); place++) {
            ProbedEndpoint endpoint = set.pool.at(place);
            fresh += endpoint != null && set.pool.isFresh(endpoint, endpoint.answer(), set.now) ? 1 : 0;
        }
        return fresh;
    }

    private static long uses(ProbedCandidates set) {
        long uses = 0;
        for (ProbedEndpoint endpoint : set.endpoints) {
            uses += ProbeAnswer.usesLeft(endpoint.answer());
        }
        return uses;
    }
}
