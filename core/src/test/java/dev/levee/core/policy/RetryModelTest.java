package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Random outcomes and settings, against a plain second implementation of the rules; blocking and asynchronous. */
class RetryModelTest {
    /** How an attempt can end. */
    enum Ending {
        SUCCESS,
        FAILURE,
        BAD_RESULT,
        THROTTLED,
        NOT_SENT,
        IGNORED,
        REFUSED,
        INTERRUPT,
        ERROR,
        TOLD_TO_WAIT_FIVE,
        TOLD_NOT_TO
    }

    record Settings(int maxAttempts, int totalSeconds, int deadlineSeconds, int reserve, boolean idempotent) {}

    /** How many attempts, how many seconds. */
    record Course(int attempts, long seconds) {}

    private static final OutcomeRule RULE = OutcomeRule.standard()
            .onError(Ended.class, Verdict.FAILURE)
            .onError(error -> endingOf(error) == Ending.THROTTLED, Verdict.THROTTLED)
            .onError(error -> endingOf(error) == Ending.IGNORED, Verdict.IGNORED)
            .onResult(Ending.class, ending -> ending == Ending.BAD_RESULT, Verdict.FAILURE)
            .retryAfter((result, error) -> {
                Ending ending = endingOf(error);
                return ending == Ending.TOLD_NOT_TO
                        ? OutcomeRule.DO_NOT_RETRY
                        : ending == Ending.TOLD_TO_WAIT_FIVE
                                ? Duration.ofSeconds(5).toNanos()
                                : RefusedException.UNKNOWN;
            });

    private static Ending endingOf(Throwable error) {
        return error instanceof Ended ended ? ended.ending : null;
    }

    @Property(tries = 2_000)
    void a_retry_does_what_the_rules_say(
            @ForAll @Size(min = 8, max = 8) List<Ending> endings,
            @ForAll @IntRange(min = 1, max = 8) int maxAttempts,
            @ForAll @IntRange(min = 1, max = 20) int totalSeconds,
            @ForAll @IntRange(min = 1, max = 20) int deadlineSeconds,
            @ForAll @IntRange(min = 1, max = 8) int reserve,
            @ForAll boolean idempotent) {
        Settings settings = new Settings(maxAttempts, totalSeconds, deadlineSeconds, reserve, idempotent);
        Course expected = expected(endings, settings);
        assertThat(blocking(endings, settings)).as("blocking").isEqualTo(expected);
        assertThat(asynchronous(endings, settings)).as("asynchronous").isEqualTo(expected);
    }

    private static Course expected(List<Ending> endings, Settings settings) {
        int limit = Math.min(settings.totalSeconds, settings.deadlineSeconds);
        int credit = settings.reserve;
        int seconds = 0;
        for (int attempt = 1; ; attempt++) {
            Ending ending = endings.get(attempt - 1);
            int delay = switch (ending) {
                case FAILURE, BAD_RESULT -> settings.idempotent ? 1 : -1;
                case THROTTLED -> settings.idempotent ? 3 : -1;
                case TOLD_TO_WAIT_FIVE -> settings.idempotent ? 5 : -1;
                case NOT_SENT, REFUSED -> 1;
                default -> -1;
            };
            int price = ending == Ending.THROTTLED ? 2 : 1;
            if (delay < 0 || attempt == settings.maxAttempts || seconds + delay >= limit || credit < price) {
                return new Course(attempt, seconds);
            }
            credit -= price;
            seconds += delay;
        }
    }

    private static Retry retry(Settings settings, Environment environment) {
        return Retry.of(
                "r",
                config -> config.maxAttempts(settings.maxAttempts)
                        .totalTime(Duration.ofSeconds(settings.totalSeconds))
                        .backoff(Backoff.fixed(Duration.ofSeconds(1)))
                        .throttledBackoff(Backoff.fixed(Duration.ofSeconds(3)))
                        .hintJitter(0)
                        .budget(RetryBudget.of("b", 0, 0, settings.reserve, environment))
                        .outcomes(RULE),
                environment);
    }

    private static CallContext context(Settings settings, Environment environment) {
        return CallContext.current()
                .withDeadline(Deadline.after(Duration.ofSeconds(settings.deadlineSeconds), environment.clock()))
                .withIdempotent(settings.idempotent);
    }

    private Course blocking(List<Ending> endings, Settings settings) {
        ManualTime time = new ManualTime().autoAdvance();
        Retry retry = retry(settings, time.environment());
        List<Integer> attempts = new ArrayList<>();
        Throwable thrown = catchThrowable(() -> context(settings, time.environment())
                .call(() -> retry.call(() -> {
                    attempts.add(CallContext.current().attempt());
                    return endLike(endings.get(attempts.size() - 1));
                })));
        assertEnd(endings.get(attempts.size() - 1), thrown);
        return course(attempts, time);
    }

    private Course asynchronous(List<Ending> endings, Settings settings) {
        ManualTime time = new ManualTime();
        Retry retry = retry(settings, time.environment());
        List<Integer> attempts = new ArrayList<>();
        long[] endedAt = new long[1];
        CompletableFuture<Ending> future = context(settings, time.environment())
                .call(() -> retry.callAsync(() -> {
                    attempts.add(CallContext.current().attempt());
                    try {
                        return CompletableFuture.completedFuture(endLike(endings.get(attempts.size() - 1)));
                    } catch (Throwable thrown) {
                        return CompletableFuture.failedFuture(thrown);
                    }
                }));
        Throwable[] failure = new Throwable[1];
        future.whenComplete((result, error) -> {
            failure[0] = error;
            endedAt[0] = time.elapsed().toSeconds();
        });
        time.advance(Duration.ofMinutes(5));
        assertThat(future).isDone();
        assertThat(time.pendingTimers()).isZero();
        assertEnd(endings.get(attempts.size() - 1), failure[0]);
        Course whole = course(attempts, time);
        return new Course(whole.attempts, endedAt[0]);
    }

    private static Course course(List<Integer> attempts, ManualTime time) {
        for (int i = 0; i < attempts.size(); i++) {
            assertThat(attempts.get(i)).isEqualTo(i + 1);
        }
        return new Course(attempts.size(), time.elapsed().toSeconds());
    }

    private static void assertEnd(Ending last, Throwable thrown) {
        switch (last) {
            case SUCCESS, BAD_RESULT -> assertThat(thrown).isNull();
            case ERROR -> assertThat(thrown).isInstanceOf(LinkageError.class);
            case NOT_SENT -> assertThat(thrown).isInstanceOf(ConnectException.class);
            case REFUSED -> assertThat(thrown).isInstanceOf(RefusedException.class);
            case INTERRUPT -> assertThat(thrown).isInstanceOf(InterruptedException.class);
            default -> assertThat(endingOf(thrown)).isEqualTo(last);
        }
    }

    private static Ending endLike(Ending ending) throws Exception {
        switch (ending) {
            case SUCCESS, BAD_RESULT -> {
                return ending;
            }
            case NOT_SENT -> throw new ConnectException();
            case REFUSED -> throw new BulkheadFullException("b", "full", true);
            case INTERRUPT -> throw new InterruptedException();
            case ERROR -> throw new LinkageError();
            default -> throw new Ended(ending);
        }
    }

    private static final class Ended extends Exception {
        private static final long serialVersionUID = 1L;

        private final Ending ending;

        Ended(Ending ending) {
            super(ending.name());
            this.ending = ending;
        }
    }
}
