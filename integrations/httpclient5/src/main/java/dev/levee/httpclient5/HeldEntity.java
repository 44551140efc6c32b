package dev.levee.httpclient5;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.HttpEntityWrapper;
import org.jspecify.annotations.Nullable;

/** A body that tells when it has been read to its end, has broken off, or is closed. */
final class HeldEntity extends HttpEntityWrapper {
    private final ApacheExchange exchange;
    private @Nullable InputStream content;

    HeldEntity(HttpEntity entity, ApacheExchange exchange) {
        super(entity);
        this.exchange = exchange;
    }

    ApacheExchange exchange() {
        return exchange;
    }

    @Override
    public InputStream getContent() throws IOException {
        InputStream known = content;
        if (known == null) {
            known = new HeldStream(super.getContent());
            content = known;
        }
        return known;
    }

    /** By the stream, because what fails may be the one that is written to, which no endpoint is to blame for. */
    @Override
    public void writeTo(OutputStream out) throws IOException {
        try (InputStream in = getContent()) {
            in.transferTo(out);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            super.close();
        } finally {
            exchange.bodyEnded();
        }
    }

    private final class HeldStream extends FilterInputStream {
        HeldStream(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            try {
                return ended(super.read());
            } catch (IOException broken) {
                exchange.bodyFailed(broken);
                throw broken;
            }
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            try {
                return ended(super.read(bytes, offset, length));
            } catch (IOException broken) {
                exchange.bodyFailed(broken);
                throw broken;
            }
        }

        @Override
        public long skip(long count) throws IOException {
            try {
                return super.skip(count);
            } catch (IOException broken) {
                exchange.bodyFailed(broken);
                throw broken;
            }
        }

        private int ended(int read) {
            if (read < 0) {
                exchange.bodyEnded();
            }
            return read;
        }

        @Override
        public void close() throws IOException {
            try {
                super.close();
            } catch (IOException broken) {
                exchange.bodyFailed(broken);
                throw broken;
            } finally {
                exchange.bodyEnded();
            }
        }
    }
}
