package dev.levee.okhttp;

import java.io.IOException;
import java.net.ProtocolException;
import java.util.List;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Response;

/**
 * Keeps from OkHttp itself what it takes amiss in an answer.
 *
 * <p>{@code Retry-After} of a 503 is hidden from it: it would send the request once more for a 0, a payment too, and
 * throws what is no {@code IOException} for a number that is no {@code int}. Interceptors of the user see it. A
 * negative {@code Content-Length} is a failure: OkHttp believes it, and reads and closes of such a body throw what is
 * no {@code IOException} either.
 */
final class SaneAnswers {
    private static final String NAME = "Retry-After";
    private static final String HIDDEN = "Levee-Hidden-Retry-After";
    private static final int UNAVAILABLE = 503;

    /** What OkHttp says of a body without a length. */
    private static final long UNKNOWN_LENGTH = -1;

    private SaneAnswers() {}

    static OkHttpClient.Builder only(OkHttpClient.Builder client) {
        client.networkInterceptors().add(0, chain -> renamed(chain, NAME, HIDDEN));
        return client.addNetworkInterceptor(SaneAnswers::measured)
                .addInterceptor(chain -> renamed(chain, HIDDEN, NAME));
    }

    private static Response measured(Interceptor.Chain chain) throws IOException {
        Response response = chain.proceed(chain.request());
        long length = response.body().contentLength();
        if (length < UNKNOWN_LENGTH) {
            throw new ProtocolException("Content-Length must not be negative, but was " + length);
        }
        return response;
    }

    private static Response renamed(Interceptor.Chain chain, String from, String to) throws IOException {
        Response response = chain.proceed(chain.request());
        List<String> values = response.code() == UNAVAILABLE ? response.headers(from) : List.of();
        if (values.isEmpty()) {
            return response;
        }
        Response.Builder renamed = response.newBuilder().removeHeader(from).removeHeader(to);
        values.forEach(value -> renamed.addHeader(to, value));
        return renamed.build();
    }
}
