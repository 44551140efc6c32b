package dev.levee.spring.web;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.internal.Require;
import dev.levee.http.HttpOutcomes;
import dev.levee.http.Uris;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpRequest;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.InterceptingClientHttpRequestFactory;
import org.springframework.http.client.support.HttpRequestWrapper;

/**
 * Sends the requests of {@code RestClient}, {@code RestTemplate} and of HTTP interfaces on them through a
 * {@link ClientGuard}.
 *
 * <pre>{@code
 * RestClient client = RestClient.builder()
 *     .baseUrl("http://catalog")
 *     .requestFactory(GuardedRequests.factory(new JdkClientHttpRequestFactory(), catalog))
 *     .build();
 * }</pre>
 *
 * <p>Prefer {@link #factory}: then all interceptors of the client stand around the call. As an interceptor it must be
 * the last one, because Spring 6.2 skips those further in when a request is sent again.
 *
 * <p>Bodies of requests are held in memory, as Spring does for every interceptor, so they can be sent again. The caller
 * gets what the client would have thrown, or what a policy throws: {@code RefusedException} and
 * {@code TimedOutException} come through {@code RestClient} and {@code RestTemplate} as they are.
 *
 * <p>Thread-safe. Blocks as the client does, and as the pipeline does.
 *
 * @since 0.1
 */
public final class GuardedRequests implements ClientHttpRequestInterceptor {
    private final ClientGuard guard;

    private GuardedRequests(ClientGuard guard) {
        this.guard = guard;
    }

    /**
     * Returns a request factory that sends requests for the host of a guard through it.
     *
     * @param factory sends each attempt
     * @param guard the guard
     * @return the factory
     * @throws NullPointerException if an argument is null
     */
    public static ClientHttpRequestFactory factory(ClientHttpRequestFactory factory, ClientGuard guard) {
        return new InterceptingClientHttpRequestFactory(
                Require.nonNull("factory", factory), List.of(interceptor(guard)));
    }

    /**
     * Returns an interceptor that sends requests for the host of a guard through it. It must be the last one of its
     * client.
     *
     * @param guard the guard
     * @return the interceptor
     * @throws NullPointerException if {@code guard} is null
     */
    public static ClientHttpRequestInterceptor interceptor(ClientGuard guard) {
        return new GuardedRequests(Require.nonNull("guard", guard));
    }

    @Override
    public ClientHttpResponse intercept(HttpRequest request, byte[] body, ClientHttpRequestExecution execution)
            throws IOException {
        URI uri = request.getURI();
        if (!guard.isFor(uri)) {
            return execution.execute(request, body);
        }
        ClientExchange<ClientHttpResponse> exchange = new ClientExchange<>(guard);
        Operation<HttpAnswer<ClientHttpResponse>, IOException> next = guard.balancer()
                .operation((URI endpoint) -> {
                    boolean leavesOthers = exchange.leavesOthers();
                    URI target = Uris.at(endpoint, uri);
                    ClientHttpResponse response = execution.execute(attempt(request, target), body);
                    return exchange.received(answer(response, target, leavesOthers));
                });
        Operation<Object, IOException> attempt = () -> {
            exchange.beginAttempt();
            return exchange.orFailure(next.run());
        };
        Object answered = null;
        Throwable error = null;
        try {
            answered = HttpOutcomes.isIdempotent(request.getMethod().name())
                    ? guard.policy().call(attempt)
                    : CallContext.<Object, IOException>notIdempotent(
                            () -> guard.policy().call(attempt));
        } catch (Throwable thrown) {
            error = thrown;
        }
        ClientHttpResponse response = exchange.end(answered, error);
        if (response != null) {
            return response;
        }
        if (error == null) {
            throw guard.notAResponse(answered);
        }
        return rethrow(Outcomes.unwrap(error));
    }

    private static ClientHttpResponse rethrow(Throwable error) throws IOException {
        if (error instanceof IOException failure) {
            throw failure;
        }
        if (error instanceof RuntimeException failure) {
            throw failure;
        }
        if (error instanceof Error failure) {
            throw failure;
        }
        throw new IOException(error);
    }

    private static HttpAnswer<ClientHttpResponse> answer(ClientHttpResponse response, URI target, boolean leavesOthers)
            throws IOException {
        try {
            HttpHeaders headers = response.getHeaders();
            return new HttpAnswer<>(
                    response,
                    target,
                    response.getStatusCode().value(),
                    headers.getFirst(HttpHeaders.RETRY_AFTER),
                    headers.getFirst(HttpHeaders.DATE),
                    leavesOthers,
                    ClientHttpResponse::close);
        } catch (Throwable unreadable) {
            response.close();
            throw unreadable;
        }
    }

    private HttpRequest attempt(HttpRequest request, URI target) {
        HttpHeaders headers = new HttpHeaders();
        request.getHeaders().forEach(headers::addAll);
        String deadline = guard.deadlineHeader(joined(headers));
        if (deadline != null) {
            headers.set(Deadline.HEADER, deadline);
        }
        return new HttpRequestWrapper(request) {
            @Override
            public URI getURI() {
                return target;
            }

            @Override
            public HttpHeaders getHeaders() {
                return headers;
            }
        };
    }

    /** By forEach alone, because the methods that read a list are other ones in Spring 6.2. */
    static @Nullable String joined(HttpHeaders headers) {
        List<String> written = new ArrayList<>(1);
        headers.forEach((name, values) -> {
            if (Deadline.HEADER.equalsIgnoreCase(name)) {
                written.addAll(values);
            }
        });
        return written.isEmpty() ? null : String.join(",", written);
    }

    @Override
    public String toString() {
        return guard.toString();
    }
}
