package dev.levee.ratelimit.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.Inet4Address;
import java.net.Inet6Address;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link AddressText} and {@link AddressBlock}. */
class AddressTextTest {

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
        assertThat(AddressText.parse(text).map(InetAddress::getHostAddress)).hasValue(canonical);
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
        assertThat(AddressText.parse(text)).isEmpty();
    }

    @Property
    void every_address_of_four_bytes_survives_a_round_trip(@ForAll @Size(4) byte[] bytes) throws UnknownHostException {
        InetAddress address = InetAddress.getByAddress(bytes);

        assertThat(AddressText.parse(address.getHostAddress())).hasValue(address);
        assertThat(AddressText.parse("::ffff:" + address.getHostAddress())).hasValue(address);
    }

    @Property
    void every_address_of_sixteen_bytes_survives_a_round_trip(@ForAll @Size(16) byte[] bytes)
            throws UnknownHostException {
        InetAddress address = InetAddress.getByAddress(bytes);

        assertThat(AddressText.parse(address.getHostAddress())).hasValue(address);
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

        assertThat(AddressText.parse(text.toString())).hasValue(InetAddress.getByAddress(bytes));
    }

    /** The JDK reads more forms, but what is an address here is the same one there. Nothing with a dot is looked up. */
    @Property
    void what_is_read_is_what_the_JDK_reads(@ForAll("texts") String text) throws UnknownHostException {
        InetAddress address = AddressText.parse(text).orElse(null);

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
        assertThat(AddressText.parse("1:".repeat(10_000_000))).isEmpty();
        assertThat(AddressText.parse("1".repeat(10_000_000))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.255.255.255, 11.0.0.0",
        "10.0.0.0/9, 10.127.255.255, 10.128.0.0",
        "192.0.2.128/25, 192.0.2.128, 192.0.2.127",
        "192.0.2.1, 192.0.2.1, 192.0.2.0",
        "192.0.2.1/32, 192.0.2.1, 192.0.2.3",
        "0.0.0.0/0, 255.255.255.255, ::",
        "::/0, ffff::, 1.2.3.4",
        "2001:db8::/32, 2001:db8:ffff::, 2001:db9::",
        "2001:db8::8000/113, 2001:db8::ffff, 2001:db8::7fff",
        "::1, ::1, ::2",
        "::ffff:10.0.0.0/104, 10.1.2.3, 11.0.0.0",
        "::ffff:0:0/96, 1.2.3.4, ::1",
        "::ffff:192.0.2.1, 192.0.2.1, 192.0.2.2",
    })
    void a_block_has_the_addresses_with_its_prefix(String block, String inside, String outside) {
        AddressBlock parsed = AddressBlock.parse(block);

        assertThat(parsed.contains(AddressText.parse(inside).orElseThrow())).isTrue();
        assertThat(parsed.contains(AddressText.parse(outside).orElseThrow())).isFalse();
        assertThat(AddressBlock.parse(parsed.toString())).isEqualTo(parsed);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/8",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/+8",
                "10.0.0.0/08",
                "10.0.0.0/8 ",
                "10.0.0.0/8/8",
                "10.0.0.1/8",
                "10.0.0.0/255.0.0.0",
                "10/8",
                "::/129",
                "::1/64",
                "::/0000",
                "proxy",
                "::ffff:0:0/95",
                "::ffff:10.0.0.0/8",
                "::ffff:10.0.0.0/129",
                "10.0.0.0/9999999999",
                "*",
                "all",
                "fe80::%eth0/10",
                "10.0.0.0/\u0668",
            })
    void a_malformed_block_is_refused(String text) {
        assertThatThrownBy(() -> AddressBlock.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void the_messages_say_what_is_wrong() throws UnknownHostException {
        assertThatThrownBy(() -> AddressBlock.parse("10.0.0.1/8"))
                .hasMessage("first must have no bits behind a prefix of 8 bits, but was 10.0.0.1");
        assertThatThrownBy(() -> AddressBlock.parse("10.0.0.0/33"))
                .hasMessage("address block must have a prefix from 0 to 32 at 9, but was \"10.0.0.0/33\"");
        assertThatThrownBy(() -> AddressBlock.parse("proxy\n/8"))
                .hasMessage("address block must have an IP address at 0, but was \"proxy\\u000A/8\"");
        InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        assertThatThrownBy(() -> new AddressBlock(loopback, 33))
                .hasMessage("prefixLength must be from 0 to 32, but was 33");
    }

    @Test
    void a_mapped_address_of_the_JDK_is_the_address_of_version_4() throws UnknownHostException {
        byte[] mapped = new byte[16];
        mapped[10] = mapped[11] = (byte) 0xff;
        mapped[12] = 10;
        InetAddress odd = Inet6Address.getByAddress(null, mapped, 7);

        assertThat(odd).isInstanceOf(Inet6Address.class);
        assertThat(AddressText.unmapped(odd)).isInstanceOf(Inet4Address.class);
        assertThat(ClientAddresses.peer().clientOf(odd, name -> null).getHostAddress())
                .isEqualTo("10.0.0.0");
    }
}
