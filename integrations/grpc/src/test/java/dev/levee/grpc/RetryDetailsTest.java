package dev.levee.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import io.grpc.Metadata;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class RetryDetailsTest {
    @Property(tries = 200)
    void what_is_written_is_what_protobuf_reads(@ForAll @LongRange(min = 0) long nanos) throws Exception {
        Status status = Status.parseFrom(RetryDetails.statusBytes(8, "zu viele, später", nanos));
        assertThat(status.getCode()).isEqualTo(8);
        assertThat(status.getMessage()).isEqualTo("zu viele, später");
        Duration delay = status.getDetails(0).unpack(RetryInfo.class).getRetryDelay();
        assertThat(delay.getSeconds()).isEqualTo(nanos / 1_000_000_000);
        assertThat(delay.getNanos()).isEqualTo((int) (nanos % 1_000_000_000));
    }

    @Property(tries = 200)
    void what_protobuf_writes_is_read(
            @ForAll @LongRange(min = 0, max = 1_000_000) long seconds,
            @ForAll @LongRange(min = 0, max = 999_999_999) long nanos) {
        assertThat(RetryDetails.retryInfoNanos(statusWith(seconds, (int) nanos).toByteArray()))
                .isEqualTo(seconds * 1_000_000_000 + nanos);
    }

    private static Status statusWith(long seconds, int nanos) {
        return Status.newBuilder()
                .setCode(14)
                .setMessage("later")
                .addDetails(Any.pack(ErrorInfo.newBuilder().setReason("r").build()))
                .addDetails(Any.pack(RetryInfo.newBuilder()
                        .setRetryDelay(Duration.newBuilder().setSeconds(seconds).setNanos(nanos))
                        .build()))
                .build();
    }

    @Property(tries = 500)
    void any_bytes_are_read_without_an_exception(@ForAll byte[] bytes) {
        assertThatCode(() -> RetryDetails.retryInfoNanos(bytes)).doesNotThrowAnyException();
    }

    @Test
    void bytes_that_are_cut_or_changed_anywhere_are_read_without_an_exception() {
        byte[] whole = statusWith(5, 7).toByteArray();
        for (int i = 0; i < whole.length; i++) {
            assertThat(RetryDetails.retryInfoNanos(java.util.Arrays.copyOf(whole, i)))
                    .isIn(-1L, 5_000_000_000L);
            for (int bit = 0; bit < 8; bit++) {
                byte[] changed = whole.clone();
                changed[i] ^= (byte) (1 << bit);
                assertThat(RetryDetails.retryInfoNanos(changed)).isGreaterThanOrEqualTo(-1);
            }
        }
    }

    @Test
    void a_negative_delay_is_no_wait_and_a_huge_one_saturates() {
        assertThat(RetryDetails.retryInfoNanos(statusWith(-5, 0).toByteArray())).isEqualTo(RefusedException.UNKNOWN);
        assertThat(RetryDetails.retryInfoNanos(statusWith(0, -5).toByteArray())).isEqualTo(RefusedException.UNKNOWN);
        assertThat(RetryDetails.retryInfoNanos(
                        statusWith(Long.MAX_VALUE, 999_999_999).toByteArray()))
                .isGreaterThan(Long.MAX_VALUE / 4);
    }

    @Test
    void a_wait_is_rounded_up_to_milliseconds_and_do_not_retry_is_negative() {
        Metadata trailers = new Metadata();
        RetryDetails.put(trailers, 8, "m", 1_000_001);
        assertThat(trailers.get(RetryDetails.PUSHBACK)).isEqualTo("2");
        Metadata never = new Metadata();
        RetryDetails.put(never, 8, "m", OutcomeRule.DO_NOT_RETRY);
        assertThat(never.get(RetryDetails.PUSHBACK)).isEqualTo("-1");
        assertThat(never.get(RetryDetails.DETAILS)).isNull();
        Metadata long_ = new Metadata();
        RetryDetails.put(long_, 8, "m", Long.MAX_VALUE / 2);
        assertThat(long_.get(RetryDetails.PUSHBACK)).isEqualTo("2147483647");
    }
}
