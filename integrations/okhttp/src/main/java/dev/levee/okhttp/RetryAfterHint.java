package dev.levee.okhttp;

import java.io.IOException;
import java.util.List;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Response;

/**
 * Keeps {@code Retry-After} of a 503 from OkHttp itself, which would send the request once more for a 0, a payment too,
 * and throws what is no {@code IOException} for a number that is no {@code int}. Interceptors of the user see it.
 */
final class RetryAfterHint {
    private static final String NAME = "Retry-After";
    private static final String HIDDEN = "Levee-Hidden-Retry-After";
    private static final int UNAVAILABLE = 503;

    private RetryAfterHint() {}

    static OkHttpClient.Builder hide(OkHttpClient.Builder client) {
        client.networkInterceptors().add(0, chain -> renamed(chain, NAME, HIDDEN));
        return client.addInterceptor(chain -> renamed(chain, HIDDEN, NAME));
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
