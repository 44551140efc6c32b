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
    private final PendingLoad<String> load = new PendingLoad<>(new Loading("c", "key"));

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

    private static Loading running(String key) {
        Loading work = new Loading("c", key);
        work.keyBegun();
        return work;
    }

    @Test
    void thatHasEndedIsNoPartOfARing() {
        Loading a = running("a");
        Loading b = running("b");
        Loading ended = running("ended");
        ended.needs(a, "c", "a");
        b.needs(ended, "c", "ended");
        ended.keyEnded(); // b has not woken up yet

        assertThatCode(() -> a.needs(b, "c", "b")).doesNotThrowAnyException();
    }

    @Test
    void thatNeedsItselfByWayOfOthersIsToldTheWay() {
        Loading a = running("a");
        Loading b = running("b");
        Loading d = running("d\nINFO done");
        a.needs(b, "c", "b");
        a.needs(d, "c", "d");
        assertThatThrownBy(() -> d.needs(a, "c", "key\nINFO done"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("cache \"c\" cannot load key key\\u000AINFO done")
                .hasMessageEndingWith("c[d\\u000AINFO done] -> c[a] -> c[d\\u000AINFO done]");
        assertThatThrownBy(() -> a.needs(a, "c", "a")).hasMessageEndingWith("c[a] -> c[a]");
        a.needsNoMore(d);
        assertThatCode(() -> d.needs(a, "c", "a")).doesNotThrowAnyException();
    }

    @Test
    void endsOnceWithTheFirstResult() {
        assertThat(load.end(LoadResult.value("1"))).isTrue();
        assertThat(load.end(LoadResult.value("2"))).isFalse();
        assertThat(load.await("cache", "key", time.environment().scheduler()).value())
                .isEqualTo("1");
    }
}
