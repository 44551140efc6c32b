package dev.levee.ratelimit.http;

import static dev.levee.ratelimit.http.ForwardingHeader.FORWARDED;
import static dev.levee.ratelimit.http.ForwardingHeader.X_FORWARDED_FOR;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.ratelimit.IpAddresses;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClientAddressesTest {
    private static final String PROXY = "10.0.0.1";
    private static final String CLIENT = "192.0.2.7";

    @Test
    void nothing_is_trusted_by_default_and_no_header_is_read() {
        InetAddress peer = address(CLIENT);

        assertThat(ClientAddresses.peer().clientOf(peer, name -> {
                    throw new AssertionError(name);
                }))
                .isEqualTo(peer);
    }

    @ParameterizedTest
    @EnumSource
    void a_peer_that_is_no_trusted_proxy_is_the_client_and_its_header_is_not_read(ForwardingHeader header) {
        assertThat(ClientAddresses.behind(header, "10.0.0.0/8").clientOf(address(CLIENT), name -> {
                    throw new AssertionError(name);
                }))
                .isEqualTo(address(CLIENT));
    }

    @Test
    void only_the_chosen_header_is_read() {
        List<String> read = new ArrayList<>();
        ClientAddresses.behind(FORWARDED, PROXY).clientOf(address(PROXY), name -> {
            read.add(name);
            return null;
        });
        ClientAddresses.behind(X_FORWARDED_FOR, PROXY).clientOf(address(PROXY), name -> {
            read.add(name);
            return List.of();
        });

        assertThat(read).containsExactly("Forwarded", "X-Forwarded-For");
    }

    @ParameterizedTest
    @EnumSource
    void a_header_without_a_trusted_proxy_is_refused(ForwardingHeader header) {
        assertThatThrownBy(() -> ClientAddresses.behind(header))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("trusted must have at least one block, but was empty");
        assertThatThrownBy(() -> ClientAddresses.behind(header, "10.0.0.1/8"))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Nested
    class XForwardedFor {

        @ParameterizedTest
        @CsvSource(
                delimiter = '|',
                value = {
                    "192.0.2.7 | 192.0.2.7",
                    "1.1.1.1, 192.0.2.7 | 192.0.2.7",
                    "1.1.1.1, 192.0.2.7, 10.9.9.9 | 192.0.2.7",
                    "1.1.1.1,192.0.2.7,10.9.9.9,10.0.0.2 | 192.0.2.7",
                    "192.0.2.7:4711 | 192.0.2.7",
                    "[2001:db8::1]:4711 | 2001:db8::1",
                    "[2001:db8::1] | 2001:db8::1",
                    "2001:db8::1 | 2001:db8::1",
                    "::ffff:192.0.2.7 | 192.0.2.7",
                    "10.0.0.5, 10.0.0.6 | 10.0.0.5",
                    "192.0.2.7, , ,10.0.0.6,, | 192.0.2.7",
                    "spoofed, 192.0.2.7 | 192.0.2.7",
                    "\", 192.0.2.7 | 192.0.2.7",
                    "10.0.0.6, unknown | 10.0.0.1",
                    "192.0.2.7, unknown, 10.0.0.6 | 10.0.0.6",
                    "192.0.2.7, localhost, 10.0.0.6 | 10.0.0.6",
                    "192.0.2.7, 010.0.0.7, 10.0.0.6 | 10.0.0.6",
                    "192.0.2.7, 10.0.0.7:, 10.0.0.6 | 10.0.0.6",
                    "192.0.2.7, 10.0.0.7:port, 10.0.0.6 | 10.0.0.6",
                    "192.0.2.7, 10.0.0.7:123456, 10.0.0.6 | 10.0.0.6",
                    "192.0.2.7, fe80::1%eth0, 10.0.0.6 | 10.0.0.6",
                    "192.0.2.7; 10.0.0.6 | 10.0.0.1",
                    "192.0.2.7 10.0.0.6 | 10.0.0.1",
                    "'' | 10.0.0.1",
                    "', ,' | 10.0.0.1",
                })
        void the_first_address_from_the_right_that_is_not_trusted_is_the_client(String value, String client) {
            assertThat(clientOf(X_FORWARDED_FOR, value)).isEqualTo(address(client));
        }

        @Test
        void several_lines_are_one_list_in_their_order() {
            assertThat(clientOf(X_FORWARDED_FOR, "1.1.1.1", "192.0.2.7, 10.0.0.2", "10.0.0.3"))
                    .isEqualTo(address(CLIENT));
            assertThat(clientOf(X_FORWARDED_FOR, "1.1.1.1", "192.0.2.7", "")).isEqualTo(address(CLIENT));
            assertThat(clientOf(X_FORWARDED_FOR)).isEqualTo(address(PROXY));
        }
    }

    @Nested
    class Forwarded {

        @ParameterizedTest
        @CsvSource(
                delimiter = '|',
                quoteCharacter = '\'',
                value = {
                    "for=192.0.2.7 | 192.0.2.7",
                    "FOR=192.0.2.7 | 192.0.2.7",
                    "for=\"192.0.2.7\" | 192.0.2.7",
                    "for=\"192.0.2.7:4711\" | 192.0.2.7",
                    "for=\"192.0.2.7:_port\" | 192.0.2.7",
                    "For=\"[2001:db8:cafe::17]:4711\" | 2001:db8:cafe::17",
                    "for=\"[2001:db8:cafe::17]\" | 2001:db8:cafe::17",
                    "for=192.0.2.7;proto=http;by=203.0.113.43 | 192.0.2.7",
                    "proto=http;by=203.0.113.43;for=192.0.2.7 | 192.0.2.7",
                    "proto=http; for=192.0.2.7 ;by=10.0.0.1 | 192.0.2.7",
                    ";;for=192.0.2.7; | 192.0.2.7",
                    "for=1.1.1.1, for=192.0.2.7, for=10.0.0.3 | 192.0.2.7",
                    "for=1.1.1.1,for=192.0.2.7,,for=\"[fd00::3]\" | 192.0.2.7",
                    "for=192.0.2.7;host=\"a, for=1.1.1.1\" | 192.0.2.7",
                    "for=192.0.2.7;host=\"a\\\", for=1.1.1.1;x=\\\"\" | 192.0.2.7",
                    "for=192.0.2.7;host=\"a;for=1.1.1.1\" | 192.0.2.7",
                    "for=192.0.2.7;host=\"a\\\\\" | 192.0.2.7",
                    "for=\"192.0.2\\.7\" | 192.0.2.7",
                    // What a client opens and does not close swallows nothing of what proxies write.
                    "for=\", for=192.0.2.7 | 192.0.2.7",
                    "for=\", for=\"192.0.2.7\" | 192.0.2.7",
                    "for=\"\\, for=\"[2001:db8::1]\";by=\"x\" | 2001:db8::1",
                    "for=1.1.1.1;x=\\, for=192.0.2.7 | 192.0.2.7",
                    // Hops without an address.
                    "for=192.0.2.7, for=unknown, for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7, for=_hidden, for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7, for=\"_hidden:_p\", for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7, proto=https, for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7, for=, for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7, for=\"\", for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7, for=10.0.0.4;for=10.0.0.5, for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7, for=\"10.0.0.4\"x, for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7, for=2001:db8::1, for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7, for=\"[2001:db8::1\", for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7, for=\"[10.0.0.9]\", for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7, for = 10.0.0.4, for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7, xfor=10.0.0.4, for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7, 10.0.0.4, for=10.0.0.3 | 10.0.0.3",
                    "for=192.0.2.7\" | 10.0.0.1",
                    "for=example.org | 10.0.0.1",
                    "'' | 10.0.0.1",
                })
        void the_first_address_from_the_right_that_is_not_trusted_is_the_client(String value, String client) {
            assertThat(clientOf(FORWARDED, value)).isEqualTo(address(client));
        }

        @Test
        void a_quote_does_not_reach_into_another_line() {
            assertThat(clientOf(FORWARDED, "for=1.1.1.1, for=\"", "for=\"192.0.2.7\""))
                    .isEqualTo(address(CLIENT));
            assertThat(clientOf(FORWARDED, "for=\"1.1.1.1", "for=192.0.2.7", "for=10.0.0.2;x=\""))
                    .isEqualTo(address(PROXY));
        }
    }

    @Nested
    class Hostile {

        /** Whatever a client sends, what the proxies append decides. */
        @Property
        void a_client_cannot_choose_its_address(@ForAll("texts") String sent, @ForAll ForwardingHeader header) {
            String appended = header == FORWARDED
                    ? sent + ", for=192.0.2.7;proto=https, for=\"[fd00::2]:80\";by=\"[fd00::1]\""
                    : sent + ", 192.0.2.7, fd00::2";

            assertThat(clientOf(header, appended)).isEqualTo(address(CLIENT));
            assertThat(clientOf(header, sent, header == FORWARDED ? "for=\"192.0.2.7\"" : CLIENT))
                    .isEqualTo(address(CLIENT));
        }

        @Property
        void every_text_has_an_answer(@ForAll("texts") String value, @ForAll ForwardingHeader header) {
            assertThat(clientOf(header, value, value)).isNotNull();
        }

        @Provide
        Arbitrary<String> texts() {
            return Arbitraries.oneOf(
                    Arbitraries.strings()
                            .withChars("\"\"\\\\,;=:[]_for.12 \t\u00e4\n")
                            .ofMaxLength(60),
                    Arbitraries.of("for=", "\"", "\\", ",", "10.0.0.1", "[fd00::1]", ";", " ", "unknown", "=")
                            .list()
                            .ofMaxSize(20)
                            .map(parts -> String.join("", parts)),
                    Arbitraries.strings().ofMaxLength(40));
        }

        @ParameterizedTest
        @ValueSource(
                strings = {",", "\"", "\\", "\\\"", "[", ":", " ", "10.0.0.9,", "for=10.0.0.9,", "for=\"", "a", ";"})
        void a_huge_header_is_looked_at_for_a_few_elements_only(String part) {
            String huge = part.repeat(20_000_000 / part.length());
            for (ForwardingHeader header : ForwardingHeader.values()) {
                InetAddress client = clientOf(header, huge);

                assertThat(client.getHostAddress().toLowerCase(Locale.ROOT)).isIn(PROXY, "10.0.0.9");
                assertThat(clientOf(header, huge, "," + (header == FORWARDED ? "for=" : "") + CLIENT))
                        .isEqualTo(address(CLIENT));
            }
        }

        @Test
        void the_walk_ends_after_64_elements() {
            String within = CLIENT + ", 10.0.0.9".repeat(63);
            String beyond = CLIENT + ", 10.0.0.9".repeat(64);

            assertThat(clientOf(X_FORWARDED_FOR, within)).isEqualTo(address(CLIENT));
            assertThat(clientOf(X_FORWARDED_FOR, beyond)).isEqualTo(address("10.0.0.9"));
            assertThat(clientOf(
                            X_FORWARDED_FOR, Collections.nCopies(100_000, "").toArray(String[]::new)))
                    .isEqualTo(address(PROXY));
        }

        @Test
        void an_element_has_at_most_512_characters() {
            String comment = ";x=" + "y".repeat(512);

            assertThat(clientOf(FORWARDED, "for=192.0.2.7" + comment)).isEqualTo(address(PROXY));
            assertThat(clientOf(FORWARDED, "for=192.0.2.7" + comment + ", for=10.0.0.3"))
                    .isEqualTo(address("10.0.0.3"));
            assertThat(clientOf(X_FORWARDED_FOR, CLIENT + " ".repeat(512))).isEqualTo(address(PROXY));
        }
    }

    private static InetAddress clientOf(ForwardingHeader header, String... lines) {
        return ClientAddresses.behind(header, "10.0.0.0/8", "fd00::/8").clientOf(address(PROXY), name -> {
            assertThat(name).isEqualTo(header.header());
            return Arrays.asList(lines);
        });
    }

    private static InetAddress address(String text) {
        return IpAddresses.parse(text).orElseThrow();
    }
}
