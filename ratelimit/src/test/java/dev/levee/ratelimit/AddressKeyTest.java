package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressKeyTest {
    private static String whole(CharSequence text) {
        return AddressKey.parse(text, 32, 128).toString();
    }

    @Nested
    class Text {
        @ParameterizedTest
        @CsvSource({
            "1.2.3.4, 1.2.3.4",
            "0.0.0.0, 0.0.0.0",
            "255.255.255.255, 255.255.255.255",
            "::, ::",
            "::1, ::1",
            "1::, 1::",
            "2001:DB8::1, 2001:db8::1",
            "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
            "2001:0db8:0000:0000:0000:0000:0000:0001, 2001:db8::1",
            "1:2:3:4:5:6:7:8, 1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7::, 1:2:3:4:5:6:7:0",
            "::2:3:4:5:6:7:8, 0:2:3:4:5:6:7:8",
            "1::8, 1::8",
            "1:2:3:4:5:6:1.2.3.4, 1:2:3:4:5:6:102:304",
            "::1.2.3.4, ::102:304",
            "::ffff:1.2.3.4, 1.2.3.4",
            "::FFFF:102:304, 1.2.3.4",
            "0:0:0:0:0:ffff:1.2.3.4, 1.2.3.4",
            "64:ff9b::1.2.3.4, 1.2.3.4",
            "64:ff9b:1::1.2.3.4, 64:ff9b:1::102:304",
            "::fffe:1.2.3.4, ::fffe:102:304",
        })
        void is_read_and_written(String text, String written) {
            assertThat(whole(text)).isEqualTo(written);
            assertThat(whole(java.nio.CharBuffer.wrap(text))).isEqualTo(written);
            assertThat(whole(written)).isEqualTo(written);
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "",
                    " ",
                    "1.2.3",
                    "1.2.3.4.5",
                    "1.2.3.4.",
                    ".1.2.3.4",
                    "1..3.4",
                    "1.2.3.256",
                    "1.2.3.04",
                    "01.2.3.4",
                    "0x1.2.3.4",
                    "1.2.3.4 ",
                    " 1.2.3.4",
                    "1.2.3.-4",
                    "1.2.3.+4",
                    "16909060",
                    "1.2.3.4:80",
                    "1.2.3.4/32",
                    "1.2.3.4%eth0",
                    "localhost",
                    "example.com",
                    "dead.beef",
                    ":",
                    ":::",
                    "1:::2",
                    ":1",
                    "1:",
                    ":1::",
                    "1::2::3",
                    "1:2:3:4:5:6:7",
                    "1:2:3:4:5:6:7:8:9",
                    "1:2:3:4:5:6:7:8::",
                    "::1:2:3:4:5:6:7:8",
                    "1:2:3:4::5:6:7:8",
                    "12345::",
                    "g::",
                    "::1.2.3",
                    "::1.2.3.4.5",
                    "::1.2.3.4:5",
                    "1.2.3.4::",
                    "1:2:3:4:5:6:7:1.2.3.4",
                    "::1.2.3.04",
                    "[::1]",
                    "[::1]:80",
                    "::1/64",
                    "::1%",
                    "fe80::1%eth0",
                    "fe80::1%12",
                    "::ffff:1.2.3.4%lo",
                    "%eth0",
                    "fe80::1%25%eth0",
                    "fe80::1%eth 0",
                    "::1\n",
                    "\u0661.2.3.4",
                    "::\uff11",
                    "\uff46\uff46::1",
                    "unknown",
                    "_hidden",
                })
        void that_is_no_address_is_a_named_error(String text) {
            assertThatThrownBy(() -> AddressKey.parse(text))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("text must be an IPv4 or IPv6 address, but was \"")
                    .hasMessageNotContaining("\n");
        }

        @Test
        void that_is_huge_is_a_short_error() {
            for (String part : List.of("1", ":", "1:", "1.", "%", "::%x")) {
                assertThatThrownBy(() -> AddressKey.parse(part.repeat(100_000)))
                        .isInstanceOf(IllegalArgumentException.class)
                        .satisfies(
                                error -> assertThat(error.getMessage().length()).isLessThan(400));
            }
            assertThatThrownBy(() -> AddressKey.parse(null)).isInstanceOf(NullPointerException.class);
        }

        @Test
        void of_any_address_is_read_as_the_machine_reads_it() throws UnknownHostException {
            Random random = new Random(5);
            for (int i = 0; i < 5_000; i++) {
                byte[] bytes = new byte[16];
                random.nextBytes(bytes);
                for (int zero = random.nextInt(16); zero > 0; zero--) {
                    bytes[random.nextInt(16)] = 0;
                }
                InetAddress address = InetAddress.getByAddress(bytes);
                AddressKey key = AddressKey.of(address, 32, 128);
                assertThat(AddressKey.parse(address.getHostAddress(), 32, 128)).isEqualTo(key);
                assertThat(AddressKey.parse(key.toString(), 32, 128)).isEqualTo(key);
                assertThat(InetAddress.getByName(key.toString())).isEqualTo(address);
            }
        }
    }

    @Nested
    class Grouping {
        @Test
        void by_default_takes_an_ipv4_address_whole_and_64_bits_of_an_ipv6_address() {
            assertThat(AddressKey.parse("203.0.113.7")).hasToString("203.0.113.7");
            assertThat(AddressKey.parse("2001:db8:1:2:3:4:5:6")).hasToString("2001:db8:1:2::/64");
            assertThat(AddressKey.parse("2001:db8:1:2:ffff::"))
                    .isEqualTo(AddressKey.parse("2001:db8:1:2::1"))
                    .hasSameHashCodeAs(AddressKey.parse("2001:db8:1:2::1"))
                    .isNotEqualTo(AddressKey.parse("2001:db8:1:3::1"));
        }

        @Test
        void takes_any_prefix() {
            assertThat(AddressKey.parse("2001:db8:1:2ff::1", 32, 56)).hasToString("2001:db8:1:200::/56");
            assertThat(AddressKey.parse("2001:db8:1:2ff::1", 32, 1)).hasToString("::/1");
            assertThat(AddressKey.parse("ffff::1", 32, 1)).hasToString("8000::/1");
            assertThat(AddressKey.parse("::ffff", 32, 127)).hasToString("::fffe/127");
            assertThat(AddressKey.parse("::1:0:0:ffff", 32, 65)).hasToString("::/65");
            assertThat(AddressKey.parse("203.0.113.255", 24, 64)).hasToString("203.0.113.0/24");
            assertThat(AddressKey.parse("203.0.113.255", 1, 64)).hasToString("128.0.0.0/1");
            assertThat(AddressKey.parse("::ffff:203.0.113.255", 24, 64))
                    .isEqualTo(AddressKey.parse("203.0.113.1", 24, 128));
            assertThat(AddressKey.parse("203.0.113.0", 24, 64)).isNotEqualTo(AddressKey.parse("203.0.113.0"));
        }

        @Test
        void has_bounds_that_are_checked_for_both_kinds() {
            assertThatThrownBy(() -> AddressKey.parse("::1", 0, 64))
                    .hasMessage("ipv4Prefix must be from 1 to 32, but was 0");
            assertThatThrownBy(() -> AddressKey.parse("1.2.3.4", 33, 64)).hasMessageContaining("but was 33");
            assertThatThrownBy(() -> AddressKey.parse("1.2.3.4", 32, 0))
                    .hasMessage("ipv6Prefix must be from 1 to 128, but was 0");
            assertThatThrownBy(() -> AddressKey.parse("::1", 32, 129)).hasMessageContaining("but was 129");
        }
    }

    @Test
    void addresses_are_keys_too_and_a_mapped_one_is_the_ipv4_address() throws UnknownHostException {
        byte[] mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 10, 0, 0, 7};
        InetAddress ipv6 = Inet6Address.getByAddress(null, mapped, 3);
        InetAddress ipv4 = InetAddress.getByAddress(new byte[] {10, 0, 0, 7});
        assertThat(AddressKey.of(ipv4)).hasToString("10.0.0.7").isEqualTo(AddressKey.of(ipv6));
        InetAddress scoped = Inet6Address.getByAddress(
                null, new byte[] {(byte) 0xFE, (byte) 0x80, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9}, 3);
        assertThat(AddressKey.of(scoped)).hasToString("fe80::/64").isEqualTo(AddressKey.parse("fe80::1"));
        assertThat(AddressKey.of(scoped, 32, 128)).hasToString("fe80::909:909:909:909");
        assertThatThrownBy(() -> AddressKey.of(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("address");
    }
}
