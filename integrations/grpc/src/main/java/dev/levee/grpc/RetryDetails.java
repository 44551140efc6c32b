package dev.levee.grpc;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.Nanos;
import io.grpc.Metadata;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The waits that servers ask for in trailers: {@code grpc-retry-pushback-ms}, and {@code google.rpc.RetryInfo} within
 * the {@code google.rpc.Status} of {@code grpc-status-details-bin}. Read and written by hand, since two small messages
 * are not worth a dependency on a version of protobuf. See ADR 135.
 */
final class RetryDetails {
    static final Metadata.Key<String> PUSHBACK =
            Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);
    static final Metadata.Key<byte[]> DETAILS =
            Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

    private static final byte[] RETRY_INFO =
            "type.googleapis.com/google.rpc.RetryInfo".getBytes(StandardCharsets.US_ASCII);

    private static final int VARINT = 0;
    private static final int FIXED_64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED_32 = 5;

    /** Longer waits than the biggest {@code google.protobuf.Duration} are written as that one. */
    private static final long MAX_DURATION_SECONDS = 315_576_000_000L;

    private RetryDetails() {}

    /**
     * Returns the wait that trailers ask for. The pushback decides if there is one: a negative one, or one that cannot
     * be read, means not to repeat the call at all (gRFC A6).
     */
    static long waitNanos(@Nullable Metadata trailers) {
        if (trailers == null) {
            return RefusedException.UNKNOWN;
        }
        String pushback = trailers.get(PUSHBACK);
        if (pushback != null) {
            return pushbackNanos(pushback);
        }
        byte[] details = trailers.get(DETAILS);
        return details == null ? RefusedException.UNKNOWN : retryInfoNanos(details);
    }

    private static long pushbackNanos(String text) {
        boolean digits = !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
        try {
            return digits
                    ? Math.min(TimeUnit.MILLISECONDS.toNanos(Integer.parseInt(text)), Nanos.NEVER)
                    : OutcomeRule.DO_NOT_RETRY;
        } catch (NumberFormatException tooLarge) {
            return OutcomeRule.DO_NOT_RETRY;
        }
    }

    /** Returns the delay of the first RetryInfo of a {@code google.rpc.Status}, or that it is not known. */
    static long retryInfoNanos(byte[] status) {
        try {
            Reader reader = new Reader(status, 0, status.length);
            while (reader.next()) {
                if (reader.field == 3 && reader.wireType == BYTES) {
                    long wait = anyNanos(reader.nested());
                    if (wait >= 0) {
                        return wait;
                    }
                }
            }
        } catch (MalformedException malformed) {
            return RefusedException.UNKNOWN;
        }
        return RefusedException.UNKNOWN;
    }

    private static long anyNanos(Reader any) throws MalformedException {
        boolean isRetryInfo = false;
        Reader value = null;
        while (any.next()) {
            if (any.field == 1 && any.wireType == BYTES) {
                isRetryInfo = any.valueEquals(RETRY_INFO);
            } else if (any.field == 2 && any.wireType == BYTES) {
                value = any.nested();
            }
        }
        if (!isRetryInfo || value == null) {
            return RefusedException.UNKNOWN;
        }
        long wait = RefusedException.UNKNOWN;
        while (value.next()) {
            if (value.field == 1 && value.wireType == BYTES) {
                wait = durationNanos(value.nested());
            }
        }
        return wait;
    }

    private static long durationNanos(Reader duration) throws MalformedException {
        long seconds = 0;
        long nanos = 0;
        while (duration.next()) {
            if (duration.field == 1 && duration.wireType == VARINT) {
                seconds = duration.number;
            } else if (duration.field == 2 && duration.wireType == VARINT) {
                nanos = duration.number;
            }
        }
        if (seconds < 0 || nanos < 0 || nanos >= TimeUnit.SECONDS.toNanos(1)) {
            return RefusedException.UNKNOWN;
        }
        return Nanos.add(Math.min(TimeUnit.SECONDS.toNanos(seconds), Nanos.NEVER), nanos);
    }

    /**
     * Puts a wait into trailers in both forms.
     *
     * @param trailers where to
     * @param code the number of the status
     * @param message the description of the status
     * @param waitNanos how long to wait, or {@link OutcomeRule#DO_NOT_RETRY}
     */
    static void put(Metadata trailers, int code, String message, long waitNanos) {
        if (waitNanos == OutcomeRule.DO_NOT_RETRY) {
            trailers.put(PUSHBACK, "-1");
            return;
        }
        long millis = waitNanos / 1_000_000 + (waitNanos % 1_000_000 == 0 ? 0 : 1);
        trailers.put(PUSHBACK, Long.toString(Math.min(millis, Integer.MAX_VALUE)));
        trailers.put(DETAILS, statusBytes(code, message, waitNanos));
    }

    static byte[] statusBytes(int code, String message, long waitNanos) {
        Writer duration = new Writer();
        duration.number(1, Math.min(waitNanos / TimeUnit.SECONDS.toNanos(1), MAX_DURATION_SECONDS));
        duration.number(2, waitNanos % TimeUnit.SECONDS.toNanos(1));
        Writer retryInfo = new Writer();
        retryInfo.bytes(1, duration.toByteArray());
        Writer any = new Writer();
        any.bytes(1, RETRY_INFO);
        any.bytes(2, retryInfo.toByteArray());
        Writer status = new Writer();
        status.number(1, code);
        status.bytes(2, message.getBytes(StandardCharsets.UTF_8));
        status.bytes(3, any.toByteArray());
        return status.toByteArray();
    }

    /** What is read is no message of protobuf. */
    private static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedException() {
            super("malformed", null, false, false);
        }
    }

    /** Writes fields of protobuf; those with the value 0 are left out, as it does. */
    private static final class Writer extends ByteArrayOutputStream {
        void number(int field, long value) {
            if (value != 0) {
                varint((long) field << 3 | VARINT);
                varint(value);
            }
        }

        void bytes(int field, byte[] value) {
            varint((long) field << 3 | BYTES);
            varint(value.length);
            write(value, 0, value.length);
        }

        private void varint(long value) {
            long rest = value;
            while ((rest & ~0x7fL) != 0) {
                write((int) ((rest & 0x7f) | 0x80));
                rest >>>= 7;
            }
            write((int) rest);
        }
    }

    /** Reads fields of protobuf from a part of an array. */
    private static final class Reader {
        private static final int MAX_VARINT_BYTES = 10;

        private final byte[] source;
        private final int end;
        private int at;
        private int valueFrom;
        private int valueEnd;
        int field;
        int wireType;
        long number;

        Reader(byte[] source, int from, int end) {
            this.source = source;
            this.at = from;
            this.end = end;
        }

        boolean next() throws MalformedException {
            if (at == end) {
                return false;
            }
            long tag = varint();
            field = (int) (tag >>> 3);
            wireType = (int) (tag & 7);
            switch (wireType) {
                case VARINT -> number = varint();
                case FIXED_64 -> skip(Long.BYTES);
                case FIXED_32 -> skip(Integer.BYTES);
                case BYTES -> {
                    long length = varint();
                    if (length < 0 || length > end - at) {
                        throw new MalformedException();
                    }
                    valueFrom = at;
                    valueEnd = at + (int) length;
                    at = valueEnd;
                }
                default -> throw new MalformedException();
            }
            return true;
        }

        Reader nested() {
            return new Reader(source, valueFrom, valueEnd);
        }

        boolean valueEquals(byte[] other) {
            return Arrays.equals(source, valueFrom, valueEnd, other, 0, other.length);
        }

        private void skip(int bytes) throws MalformedException {
            if (bytes > end - at) {
                throw new MalformedException();
            }
            at += bytes;
        }

        private long varint() throws MalformedException {
            long value = 0;
            for (int i = 0; i < MAX_VARINT_BYTES; i++) {
                if (at == end) {
                    throw new MalformedException();
                }
                byte next = source[at++];
                value |= (long) (next & 0x7f) << (7 * i);
                if (next >= 0) {
                    return value;
                }
            }
            throw new MalformedException();
        }
    }
}
