package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

class ServerLoadTest {
    @Example
    void the_text_names_requests_and_microseconds() {
        assertThat(new ServerLoad(12, 3_400_000).toText()).isEqualTo("12;3400us");
        assertThat(new ServerLoad(0, 0).toText()).isEqualTo("0;0us");
        assertThat(new ServerLoad(7, ServerLoad.UNKNOWN).toText()).isEqualTo("7");
        assertThat(ServerLoad.parse("12;3400us")).isEqualTo(new ServerLoad(12, 3_400_000));
        assertThat(ServerLoad.parse("7")).isEqualTo(new ServerLoad(7, ServerLoad.UNKNOWN));
        assertThat(ServerLoad.HEADER).isEqualTo("levee-load");
    }

    @Example
    void a_latency_is_rounded_up_so_that_nothing_takes_no_time() {
        assertThat(new ServerLoad(1, 1).toText()).isEqualTo("1;1us");
        assertThat(new ServerLoad(1, 1_001).toText()).isEqualTo("1;2us");
        assertThat(new ServerLoad(1, Long.MAX_VALUE).toText()).isEqualTo("1;9223372036854775us");
    }

    @Example
    void garbage_is_no_load() {
        String[] garbage = {
            "",
            ";",
            "us",
            ";us",
            "1;",
            "1;us",
            "1;2",
            "1;2u",
            "1;2s",
            "1;2ms",
            "1;2US",
            "-1;2us",
            "1;-2us",
            "+1;2us",
            "01;2us",
            "1;02us",
            "1 ;2us",
            "1; 2us",
            " 1;2us",
            "1;2us ",
            "1;2us;",
            "1;2;3us",
            "1,2us",
            "1.5;2us",
            "1;2.5us",
            "2147483648;1us",
            "99999999999999999999;1us",
            "1;9223372036854776us",
            "1;99999999999999999999us",
            "\u0661;2us",
            "1;\u0662us",
            "NaN;NaNus",
            "0x1;2us",
            "\uD83D\uDE00",
            "1;s",
            "1;u",
            "s",
            "null"
        };
        for (String text : garbage) {
            assertThat(ServerLoad.parse(text)).as("\"%s\"", text).isNull();
        }
        assertThat(ServerLoad.parse(null)).isNull();
    }

    @Property
    void a_text_is_read_as_it_was_written(
            @ForAll @IntRange(min = 0, max = Integer.MAX_VALUE) int inFlight,
            @ForAll @LongRange(min = 0, max = Long.MAX_VALUE / 1_000) long micros) {
        ServerLoad load = new ServerLoad(inFlight, micros * 1_000);
        assertThat(ServerLoad.parse(load.toText())).isEqualTo(load);
    }

    @Property
    void whatever_is_read_writes_the_same_text(@ForAll String text) {
        ServerLoad load = ServerLoad.parse(text);
        assertThat(load == null || load.toText().equals(text)).isTrue();
    }

    @Property
    void a_changed_text_is_read_as_what_it_says_or_not_at_all(
            @ForAll @IntRange(min = 0, max = 99_999) int inFlight,
            @ForAll @IntRange(min = 0, max = 99_999) int micros,
            @ForAll @IntRange(min = 0, max = 20) int place,
            @ForAll char put) {
        StringBuilder text = new StringBuilder(new ServerLoad(inFlight, micros * 1_000L).toText());
        text.setCharAt(place % text.length(), put);
        ServerLoad load = ServerLoad.parse(text);
        assertThat(load == null || load.toText().contentEquals(text)).isTrue();
    }

    @Property
    void bytes_are_read_as_they_were_written(
            @ForAll @IntRange(min = 0, max = Integer.MAX_VALUE) int inFlight,
            @ForAll @LongRange(min = -1, max = Long.MAX_VALUE) long nanos) {
        ServerLoad load = new ServerLoad(inFlight, nanos);
        assertThat(load.toBytes()).hasSize(ServerLoad.BYTES);
        assertThat(ServerLoad.fromBytes(load.toBytes())).isEqualTo(load);
    }

    @Property
    void other_bytes_are_read_as_what_they_say_or_not_at_all(@ForAll byte[] bytes) {
        ServerLoad load = ServerLoad.fromBytes(bytes);
        assertThat(load == null || Arrays.equals(load.toBytes(), bytes)).isTrue();
    }

    @Example
    void bytes_that_are_too_few_too_many_or_wrong_are_no_load() {
        byte[] good = new ServerLoad(12, 3_400_000).toBytes();
        assertThat(ServerLoad.fromBytes(null)).isNull();
        assertThat(ServerLoad.fromBytes(Arrays.copyOf(good, 15))).isNull();
        assertThat(ServerLoad.fromBytes(Arrays.copyOf(good, 17))).isNull();
        for (int i : new int[] {0, 1, 2, 3, 4, 8}) { // what it is, and the signs of the numbers
            byte[] bad = good.clone();
            bad[i] ^= (byte) 0x80;
            assertThat(ServerLoad.fromBytes(bad)).as("byte %s", i).isNull();
        }
    }

    @Example
    void impossible_numbers_are_refused_where_they_are_made() {
        assertThatThrownBy(() -> new ServerLoad(-1, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("inFlight")
                .hasMessageContaining("-1");
        assertThatThrownBy(() -> new ServerLoad(0, -2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("latencyNanos");
    }
}
