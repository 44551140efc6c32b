package dev.levee.ratelimit.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.ratelimit.IpAddresses;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressBlockTest {

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

        assertThat(parsed.contains(IpAddresses.parse(inside).orElseThrow())).isTrue();
        assertThat(parsed.contains(IpAddresses.parse(outside).orElseThrow())).isFalse();
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
        assertThat(ClientAddresses.peer().clientOf(odd, name -> null)).isInstanceOf(Inet4Address.class);
        assertThat(ClientAddresses.peer().clientOf(odd, name -> null).getHostAddress())
                .isEqualTo("10.0.0.0");
    }

    @Test
    void a_zone_id_of_a_peer_is_cut_and_one_in_a_header_is_none() throws UnknownHostException {
        byte[] local = IpAddresses.parse("fe80::1").orElseThrow().getAddress();
        InetAddress scoped = Inet6Address.getByAddress(null, local, 7);

        assertThat(scoped.getHostAddress()).contains("%");
        assertThat(ClientAddresses.peer().clientOf(scoped, name -> null).getHostAddress())
                .isEqualTo("fe80:0:0:0:0:0:0:1");
        ClientAddresses behind = ClientAddresses.behind(ForwardingHeader.X_FORWARDED_FOR, "fe80::/10");
        for (String hop : new String[] {"fe80::2%7", "[fe80::2%7]", "2001:db8::1%eth0"}) {
            assertThat(behind.clientOf(scoped, name -> List.of(hop)).getHostAddress())
                    .isEqualTo("fe80:0:0:0:0:0:0:1");
        }
    }
}
