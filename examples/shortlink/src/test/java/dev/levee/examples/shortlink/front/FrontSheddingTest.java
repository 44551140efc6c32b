package dev.levee.examples.shortlink.front;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Policy;
import dev.levee.core.testing.ManualTime;
import dev.levee.examples.shortlink.Reply;
import dev.levee.examples.shortlink.Without;
import dev.levee.ratelimit.concurrency.ShedException;
import dev.levee.ratelimit.concurrency.ShedReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** What the front begins when more comes than the nodes can take. */
class FrontSheddingTest {
    private final ManualTime time = new ManualTime();
    private final Policy shedding = FrontGuards.shedding(Without.NOTHING, time.environment());
    private final List<String> begun = new ArrayList<>();
    private final List<CompletableFuture<String>> answers = new ArrayList<>();

    @Test
    void as_much_is_under_way_as_the_bulkheads_of_the_nodes_let_through() {
        fill();

        assertThat(send("GET", "one more")).isNotDone();
        assertThat(begun).hasSize(192).doesNotContain("one more");
    }

    @Test
    void a_redirect_takes_the_place_of_a_new_link_in_the_full_queue() {
        fill();
        List<CompletableFuture<String>> links = waiting("POST");
        CompletableFuture<String> redirect = send("GET", "redirect");
        time.runReady();

        assertThat(shed(links.get(links.size() - 1)).reason()).isEqualTo(ShedReason.DISPLACED);
        assertThat(redirect).isNotDone();
        answers.get(0).complete("done");
        time.runReady();
        assertThat(begun).endsWith("redirect");
    }

    @Test
    void a_new_link_does_not_take_the_place_of_a_redirect() {
        fill();
        List<CompletableFuture<String>> redirects = waiting("GET");

        assertThat(shed(send("POST", "new link")).reason()).isEqualTo(ShedReason.FULL);
        assertThat(redirects).noneMatch(CompletableFuture::isDone);
    }

    @Test
    void nothing_waits_for_longer_than_20_ms() {
        fill();
        CompletableFuture<String> redirect = send("GET", "redirect");
        time.advance(Duration.ofMillis(20));

        assertThat(shed(redirect).reason()).isEqualTo(ShedReason.WAITED);
    }

    @Test
    void what_is_shed_may_come_again() {
        fill();
        CompletableFuture<String> redirect = send("GET", "redirect");
        time.advance(Duration.ofMillis(20));
        Reply reply = FrontServer.reply(null, shed(redirect));

        assertThat(reply.status()).isEqualTo(503);
        assertThat(Long.parseLong(reply.headers().get("Retry-After"))).isPositive();
    }

    @Test
    void without_shedding_everything_is_begun() {
        Policy none = FrontGuards.shedding(Without.SHEDDING, time.environment());
        for (int i = 0; i < 10 * FrontGuards.IN_FLIGHT; i++) {
            none.callAsync(() -> {
                begun.add("request");
                return new CompletableFuture<String>();
            });
        }

        assertThat(begun).hasSize(10 * FrontGuards.IN_FLIGHT);
    }

    private void fill() {
        for (int i = 0; i < FrontGuards.IN_FLIGHT; i++) {
            send(i % 2 == 0 ? "GET" : "POST", "first");
        }
    }

    private List<CompletableFuture<String>> waiting(String method) {
        List<CompletableFuture<String>> waiting = new ArrayList<>();
        for (int i = 0; i < FrontGuards.WAITING; i++) {
            waiting.add(send(method, "waiting"));
        }
        assertThat(waiting).noneMatch(CompletableFuture::isDone);
        return waiting;
    }

    private CompletableFuture<String> send(String method, String name) {
        return CallContext.current()
                .withCriticality(FrontGuards.criticality(method))
                .call(() -> shedding.callAsync(() -> {
                    begun.add(name);
                    CompletableFuture<String> answer = new CompletableFuture<>();
                    answers.add(answer);
                    return answer;
                }));
    }

    private static ShedException shed(CompletableFuture<String> call) {
        assertThat(call).isCompletedExceptionally();
        return (ShedException) ((CompletionException) catchThrowable(call::join)).getCause();
    }
}
