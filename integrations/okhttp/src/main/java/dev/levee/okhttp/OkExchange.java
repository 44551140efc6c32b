package dev.levee.okhttp;

import dev.levee.http.blocking.BlockingExchange;
import java.io.IOException;
import okhttp3.Call;
import okhttp3.EventListener;
import okhttp3.Response;
import okhttp3.ResponseBody;

/** A call to one endpoint. */
final class OkExchange extends BlockingExchange<Response> {
    private static final int NO_CONTENT = 204;
    private static final int NOT_MODIFIED = 304;

    private final Call call;
    private volatile boolean maybeSent;

    OkExchange(Call call) {
        this.call = call;
        call.addEventListener(new EventListener() {
            @Override
            public void requestHeadersStart(Call begun) {
                maybeSent = true;
            }
        });
    }

    @Override
    protected Response run() throws IOException {
        Response response = call.execute();
        ResponseBody body = response.body();
        boolean empty = response.request().method().equals("HEAD")
                || response.code() == NO_CONTENT
                || response.code() == NOT_MODIFIED
                || body.contentLength() == 0;
        return empty
                ? response
                : response.newBuilder().body(new HeldBody(body, this)).build();
    }

    @Override
    protected void abort() {
        call.cancel();
    }

    @Override
    protected void close(Response response) {
        response.close();
    }

    @Override
    protected boolean maybeSent() {
        return maybeSent;
    }

    /** By name, because the types of OkHttp that say so are internal. */
    @Override
    protected boolean isUnprocessed(Throwable failure) {
        return "stream was reset: REFUSED_STREAM".equals(failure.getMessage())
                || failure.getClass().getName().equals("okhttp3.internal.http2.ConnectionShutdownException");
    }

    void bodyEnded() {
        bodyEnd().complete(null);
    }

    void bodyFailed(IOException failure) {
        bodyBroke(failure);
    }
}
