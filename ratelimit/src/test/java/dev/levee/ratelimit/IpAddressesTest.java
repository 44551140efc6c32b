package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpAddressesTest {

    @ParameterizedTest
    @CsvSource({
        "0.0.0.0, 0.0.0.0",
        "255.255.255.255, 255.255.255.255",
        "192.0.2.1, 192.0.2.1",
        "::, 0:0:0:0:0:0:0:0",
        "::1, 0:0:0:0:0:0:0:1",
        "1::, 1:0:0:0:0:0:0:0",
        "2001:DB8::8:800:200C:417A, 2001:db8:0:0:8:800:200c:417a",
        "1:2:3:4:5:6:7:8, 1:2:3:4:5:6:7:8",
        "1::3:4:5:6:7:8, 1:0:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::, 1:2:3:4:5:6:7:0",
        "::2:3:4:5:6:7:8, 0:2:3:4:5:6:7:8",
        "64:ff9b::192.0.2.1, 64:ff9b:0:0:0:0:c000:201",
        "1:2:3:4:5:6:1.2.3.4, 1:2:3:4:5:6:102:304",
        "::1.2.3.4, 0:0:0:0:0:0:102:304",
        "::ffff:192.0.2.1, 192.0.2.1",
        "::FFFF:c000:0201, 192.0.2.1",
        "0:0:0:0:0:ffff:192.0.2.1, 192.0.2.1",
    })
    void addresses_are_read(String text, String canonical) {
        assertThat(IpAddresses.parse(text).map(InetAddress::getHostAddress)).hasValue(canonical);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "1",
                "127.1",
                "1.2.3",
                "1.2.3.4.5",
                "1.2.3.",
                ".1.2.3",
                "1..2.3",
                "256.1.1.1",
                "1.1.1.1000",
                "01.2.3.4",
                "1.2.3.00",
                "0x7f.0.0.1",
                "+1.2.3.4",
                "-1.2.3.4",
                "1.2.3.4 ",
                " 1.2.3.4",
                "1.2.3.4\n",
                "1,2,3,4",
                "\u0661.2.3.4",
                "1.2.3.\uff14",
                "2130706433",
                "localhost",
                "example.org",
                "a.b.c.d",
                ":",
                ":::",
                "1:",
                ":1",
                "1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:8:9",
                "1::2::3",
                "1:2:3:4:5:6:7:8::",
                "::1:2:3:4:5:6:7:8",
                "1:2:3:4::5:6:7:8",
                "12345::",
                "g::",
                "::1 ",
                "[::1]",
                "::1%eth0",
                "fe80::1%1",
                "::1/64",
                "::1.2.3",
                "::1.2.3.4.5",
                "::1.2.3.4:5",
                "1:2:3:4:5:6:7:1.2.3.4",
                "::01.2.3.4",
                "::256.1.1.1",
                "1.2.3.4::",
                "::ffff:1.2.3.4.",
                "::\uff11",
                ":1::",
                "1:::2",
                "::-1",
                "::+1",
            })
    void everything_else_is_none(String text) {
        assertThat(IpAddresses.parse(text)).isEmpty();
    }

    @Property
    void every_address_of_four_bytes_survives_a_round_trip(@ForAll @Size(4) byte[] bytes) throws UnknownHostException {
        InetAddress address = InetAddress.getByAddress(bytes);

        assertThat(IpAddresses.parse(address.getHostAddress())).hasValue(address);
        assertThat(IpAddresses.parse("::ffff:" + address.getHostAddress())).hasValue(address);
    }

    @Property
    void every_address_of_sixteen_bytes_survives_a_round_trip(@ForAll @Size(16) byte[] bytes)
            throws UnknownHostException {
        InetAddress address = InetAddress.getByAddress(bytes);

        assertThat(IpAddresses.parse(address.getHostAddress())).hasValue(address);
    }

    @Property
    void a_gap_anywhere_is_as_many_zeros(@ForAll @IntRange(max = 7) int from, @ForAll @IntRange(min = 1, max = 8) int n)
            throws UnknownHostException {
        int to = Math.min(8, from + n);
        StringBuilder text = new StringBuilder();
        byte[] bytes = new byte[16];
        for (int group = 0; group < 8; group++) {
            if (group == from) {
                text.append("::");
            } else if (group < from || group >= to) {
                bytes[2 * group + 1] = (byte) (group + 1);
                text.append(text.isEmpty() || text.charAt(text.length() - 1) == ':' ? "" : ":")
                        .append(group + 1);
            }
        }

        assertThat(IpAddresses.parse(text.toString())).hasValue(InetAddress.getByAddress(bytes));
    }

    /** The JDK reads more forms, but what is an address here is the same one there. Nothing with a dot is looked up. */
    @Property
    void what_is_read_is_what_the_JDK_reads(@ForAll("texts") String text) throws UnknownHostException {
        InetAddress address = IpAddresses.parse(text).orElse(null);

        if (address != null) {
            assertThat(InetAddress.getByName(text.indexOf(':') >= 0 ? "[" + text + "]" : text))
                    .isEqualTo(address);
        }
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.strings().withChars("::::....01aF").ofMaxLength(24);
    }

    @Example
    void a_huge_text_is_none() {
        assertThat(IpAddresses.parse("1:".repeat(10_000_000))).isEmpty();
        assertThat(IpAddresses.parse("1".repeat(10_000_000))).isEmpty();
    }

    /** What stands around a part is not looked at. */
    @Property
    void a_part_of_a_text_is_read_as_it_would_be_alone(
            @ForAll("texts") String before, @ForAll("texts") String text, @ForAll("texts") String behind) {
        assertThat(IpAddresses.parse(before + text + behind, before.length(), before.length() + text.length()))
                .isEqualTo(IpAddresses.parse(text));
    }

    @Example
    void a_part_that_is_not_there_is_a_named_error() {
        assertThatThrownBy(() -> IpAddresses.parse("::1", 0, 4)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> IpAddresses.parse("::1", -1, 3)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> IpAddresses.parse(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("text");
    }
}
