package dev.levee.okhttp;

import java.io.IOException;
import okhttp3.MediaType;
import okhttp3.ResponseBody;
import okio.Buffer;
import okio.BufferedSource;
import okio.ForwardingSource;
import okio.Okio;
import org.jspecify.annotations.Nullable;

/** A body that tells when it has been read to its end, has broken off, or is closed. */
final class HeldBody extends ResponseBody {
    private final ResponseBody body;
    private final OkExchange exchange;
    private final BufferedSource source;

    HeldBody(ResponseBody body, OkExchange exchange) {
        this.body = body;
        this.exchange = exchange;
        this.source = Okio.buffer(new ForwardingSource(body.source()) {
            @Override
            public long read(Buffer sink, long byteCount) throws IOException {
                long read;
                try {
                    read = super.read(sink, byteCount);
                } catch (IOException broken) {
                    exchange.bodyFailed(broken);
                    throw broken;
                }
                if (read < 0) {
                    exchange.bodyEnded();
                }
                return read;
            }

            @Override
            public void close() throws IOException {
                try {
                    super.close();
                } finally {
                    exchange.bodyEnded();
                }
            }
        });
    }

    OkExchange exchange() {
        return exchange;
    }

    @Override
    public @Nullable MediaType contentType() {
        return body.contentType();
    }

    @Override
    public long contentLength() {
        return body.contentLength();
    }

    @Override
    public BufferedSource source() {
        return source;
    }
}
