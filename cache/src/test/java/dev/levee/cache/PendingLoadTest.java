package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.cache.PendingLoad.LoadResult;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PendingLoadTest {
    private final ManualTime time = new ManualTime();
    private final PendingLoad<String> load = new PendingLoad<>(LoadingThread.currentOrNew());

    @Test
    void doesNotKeepWaitersThatGaveUp() {
        Deadline deadline =
                Deadline.after(Duration.ofSeconds(1), time.environment().clock());
        for (int i = 0; i < 3; i++) {
            time.start(() -> CallContext.current()
                    .withDeadline(deadline)
                    .call(() -> catchThrowable(
                            () -> load.await("cache", "key", time.environment().scheduler()))));
        }
        time.awaitSleepers(3);
        assertThat(load).hasToString("load, 3 waiting");
        time.advance(Duration.ofSeconds(1));
        assertThat(load).hasToString("load, 0 waiting");
    }

    @Test
    void thatHasEndedMakesNoCallerWait() {
        load.end(LoadResult.value("1"));
        assertThat(load.await("cache", "key", time.environment().scheduler()).value())
                .isEqualTo("1");
        assertThat(load).hasToString("load, ended");
    }

    @Test
    void thatHasEndedIsNoPartOfARing() {
        LoadingThread a = new LoadingThread();
        LoadingThread b = new LoadingThread();
        PendingLoad<String> ended = new PendingLoad<>(a);
        PendingLoad<String> running = new PendingLoad<>(b);
        b.waitFor(ended, "c", "ended");
        ended.end(PendingLoad.LoadResult.value("1")); // b has not woken up yet

        assertThatCode(() -> a.waitFor(running, "c", "running")).doesNotThrowAnyException();
    }

    @Test
    void thatHasEndedDoesNotLeadOnToWhatItsThreadWaitsForNow() {
        LoadingThread a = new LoadingThread();
        LoadingThread b = new LoadingThread();
        PendingLoad<String> ofA = new PendingLoad<>(a);
        PendingLoad<String> ended = new PendingLoad<>(b);
        ended.end(PendingLoad.LoadResult.value("1"));
        b.waitFor(ofA, "c", "of a");

        assertThatCode(() -> a.waitFor(ended, "c", "ended")).doesNotThrowAnyException();
        assertThatThrownBy(() -> a.waitFor(ofA, "c", "key\nINFO done"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("key\\u000AINFO done");
    }
}
