package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The defaults, with a download that takes longer than all other calls together. */
class LongBodyTest extends Nodes {
    @Test
    void a_long_body_does_not_starve_its_endpoint() throws Exception {
        TestNode a = node("a");
        TestNode b = node("b");
        for (TestNode node : new TestNode[] {a, b}) {
            TestNode.Behaviour quick = node.behaviour;
            node.behaviour = (request, self, socket, out) -> (request.target().equals("/long")
                            ? TestNode.freezesHalfWay()
                            : quick)
                    .answer(request, self, socket, out);
        }
        BalancedHttpClient client = client(config -> {}, a, b);
        for (int i = 0; i < 50; i++) {
            send(client, get("/"));
        }
        HttpRequest download = get("/long");
        CompletableFuture<HttpResponse<String>> running = client.sendAsync(download, BodyHandlers.ofString());
        eventually(() -> a.waiting() + b.waiting() == 1);
        TestNode busy = a.waiting() == 1 ? a : b;
        int before = busy.count();

        // A second of the decay after which it is tried again, and then its share.
        eventually(() -> {
            try {
                send(client, get("/"));
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            return busy.count() > before + 20;
        });
        assertThat(running).isNotDone();
        running.cancel(true);
    }
}
