package dev.levee.examples.shortlink.cluster;

import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.front.FrontServer;
import dev.levee.examples.shortlink.node.Code;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;

/**
 * Asks for a few links, of which each node has some, until the answers come as they should: in the first second of a
 * JVM every step is slow, and tight timeouts would greet the first visitor with a 503.
 */
final class WarmUp {
    private static final int MAX = 500;
    private static final int GOOD_IN_A_ROW = 150;
    private static final int TENANTS = 5;
    private static final int LINKS = 30;

    private WarmUp() {}

    static void of(URI front, List<String> urls) throws UsageException, InterruptedException {
        HttpClient http =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        int good = 0;
        for (int i = 0; i < MAX && good < GOOD_IN_A_ROW; i++) {
            String code = Code.of(urls.get(i % Math.min(LINKS, urls.size())), 0);
            String client = "10.7.0." + i % 100; // one address alone would ask too much, and so would one tenant
            HttpRequest request = HttpRequest.newBuilder(front.resolve("/" + code))
                    .header("X-Forwarded-For", client)
                    .header(FrontServer.TENANT, "warm-up-" + i % TENANTS)
                    .build();
            try {
                good = http.send(request, BodyHandlers.discarding()).statusCode() == 302 ? good + 1 : 0;
            } catch (IOException e) {
                throw new UsageException("the front does not answer");
            }
        }
    }
}
