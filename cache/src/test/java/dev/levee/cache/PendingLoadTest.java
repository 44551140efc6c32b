package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.cache.PendingLoad.Landing;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class FlightTest {
    private final ManualTime time = new ManualTime();
    private final PendingLoad<String> flight = new PendingLoad<>(LoadingThread.currentOrNew());

    @Test
    void doesNotKeepThoseWhoGaveUp() {
        Deadline deadline =
                Deadline.after(Duration.ofSeconds(1), time.environment().clock());
        for (int i = 0; i < 3; i++) {
            time.start(() -> CallContext.current()
                    .withDeadline(deadline)
                    .call(() -> catchThrowable(() ->
                            flight.await("cache", "key", time.environment().scheduler()))));
        }
        time.awaitSleepers(3);
        assertThat(flight).hasToString("load, 3 waiting");
        time.advance(Duration.ofSeconds(1));
        assertThat(flight).hasToString("load, 0 waiting");
    }

    @Test
    void thatHasLandedMakesNobodyWait() {
        flight.land(Landing.value("1"));
        assertThat(flight.await("cache", "key", time.environment().scheduler()).value())
                .isEqualTo("1");
        assertThat(flight).hasToString("load, ended");
    }
}
