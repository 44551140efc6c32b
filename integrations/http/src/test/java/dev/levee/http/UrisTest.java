package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UrisTest {
    @Test
    void of_sockets() throws Exception {
        byte[] v6 = new byte[16];
        v6[15] = 1;
        InetSocketAddress loopback = new InetSocketAddress(InetAddress.getByAddress(v6), 80);

        assertThat(Uris.http(InetSocketAddress.createUnresolved("node-1", 8080)))
                .hasToString("http://node-1:8080");
        assertThat(Uris.https(InetSocketAddress.createUnresolved("node-1", 8443)))
                .hasToString("https://node-1:8443");
        assertThat(Uris.http(new InetSocketAddress(InetAddress.getByAddress("name", new byte[] {10, 0, 0, 1}), 1)))
                .hasToString("http://10.0.0.1:1");
        assertThat(Uris.http(loopback)).hasToString("http://[0:0:0:0:0:0:0:1]:80");
        assertThat(Uris.http(loopback).getHost()).isEqualTo("[0:0:0:0:0:0:0:1]");
    }

    /** The JDK's client finds no interface by the form of RFC 6874, with an encoded percent sign. */
    @Test
    void of_sockets_with_a_zone() throws Exception {
        NetworkInterface loopback = NetworkInterface.getByInetAddress(InetAddress.getLoopbackAddress());
        byte[] v6 = new byte[16];
        v6[15] = 1;
        InetSocketAddress zoned = new InetSocketAddress(Inet6Address.getByAddress(null, v6, loopback), 80);
        URI uri = Uris.http(zoned);

        assertThat(uri).hasToString("http://[0:0:0:0:0:0:0:1%" + loopback.getName() + "]:80");
        assertThat(InetAddress.getByName(uri.getHost())).isEqualTo(zoned.getAddress());
        assertThat(InetAddress.getByName(
                        Uris.at(uri, URI.create("http://catalog/a")).getHost()))
                .isEqualTo(zoned.getAddress());
        assertThat(Uris.http(InetSocketAddress.createUnresolved("fe80::1%eth0", 80)))
                .hasToString("http://[fe80::1%eth0]:80");
    }

    @Test
    void at_an_endpoint() {
        URI request = URI.create("http://catalog/a%20b?c=%2F#d");

        assertThat(Uris.at(URI.create("http://h:1"), request)).hasToString("http://h:1/a%20b?c=%2F");
        assertThat(Uris.at(URI.create("http://h:1/"), request)).hasToString("http://h:1/a%20b?c=%2F");
        assertThat(Uris.at(URI.create("http://h:1/base"), request)).hasToString("http://h:1/base/a%20b?c=%2F");
        assertThat(Uris.at(URI.create("https://h"), request)).hasToString("https://h/a%20b?c=%2F");
        assertThat(Uris.at(URI.create("http://h"), URI.create("http://catalog")))
                .hasToString("http://h/");
        assertThat(Uris.at(URI.create("http://h"), URI.create("http://catalog?q")))
                .hasToString("http://h/?q");
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost:8080", "10.0.0.1", "/path", "http:node"})
    void an_endpoint_without_scheme_or_host_is_named(String endpoint) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Uris.at(URI.create(endpoint), URI.create("http://catalog/")))
                .withMessageContaining("such as http://10.0.0.1:8080, but was " + endpoint);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/../admin",
                "/..",
                "/a/../../admin",
                "/a/../b",
                "/%2e%2e/admin",
                "/%2E./admin",
                "/.%2e/admin",
                "/a/..;/admin",
                "/a/..;x=y/admin",
                "/a/%2e%2e;/admin",
                "/a/..%3Bx/admin",
                "/..%2fadmin",
                "/..%2Fadmin",
                "/a%2f..%2f..%2fadmin",
                "/..%5cadmin",
                "/a%5C..%5C..%5Cadmin",
                "/a//../../admin",
                "/..%00/admin",
                "/..%20/admin",
                "/..%09",
                "/..;%0a/admin",
                "/..;x=%0Dy/admin",
                "/..%3b%C2%85/admin",
                "/..%00%0a/admin",
            })
    void the_path_of_an_endpoint_cannot_be_left(String path) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Uris.at(URI.create("http://h:1/tenant"), URI.create("http://catalog" + path)))
                .withMessageContaining("dot segments");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Uris.at(URI.create("http://h:1/tenant/"), URI.create("http://catalog" + path)));
        // Without a path in front there is nothing to leave, and the request goes as it is.
        assertThat(Uris.at(URI.create("http://h:1"), URI.create("http://catalog" + path)))
                .hasToString("http://h:1" + path);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/a/./b",
                "/...",
                "/..a/b",
                "/a..",
                "/a%2e%2eb",
                "/a%20b/c%2Fd",
                "/a;v=../b",
                "/%252e%252e/a",
                "/a?b=/../c"
            })
    void other_paths_stay_as_they_are(String path) {
        assertThat(Uris.at(URI.create("http://h:1/tenant"), URI.create("http://catalog" + path)))
                .hasToString("http://h:1/tenant" + path);
    }

    @Test
    void a_default_port_may_be_spelled_out_or_not() {
        Map<String, String> hosts =
                Map.of("catalog", "plain", "users:443", "secure", "both", "short", "both:80", "long", "odd:8080", "o");

        assertThat(Uris.find(hosts, URI.create("http://catalog/"))).isEqualTo("plain");
        assertThat(Uris.find(hosts, URI.create("http://Catalog:80/"))).isEqualTo("plain");
        assertThat(Uris.find(hosts, URI.create("http://catalog:/"))).isEqualTo("plain");
        assertThat(Uris.find(hosts, URI.create("HTTPS://CATALOG:443/"))).isEqualTo("plain");
        assertThat(Uris.find(hosts, URI.create("http://catalog:443/"))).isNull();
        assertThat(Uris.find(hosts, URI.create("https://catalog:80/"))).isNull();
        assertThat(Uris.find(hosts, URI.create("http://catalog:8080/"))).isNull();
        assertThat(Uris.find(hosts, URI.create("https://users/"))).isEqualTo("secure");
        assertThat(Uris.find(hosts, URI.create("http://users/"))).isNull();
        assertThat(Uris.find(hosts, URI.create("http://both/"))).isEqualTo("short");
        assertThat(Uris.find(hosts, URI.create("http://both:80/"))).isEqualTo("long");
        assertThat(Uris.find(hosts, URI.create("https://both:443/"))).isEqualTo("short");
        assertThat(Uris.find(hosts, URI.create("http://odd:8080/"))).isEqualTo("o");
        assertThat(Uris.find(hosts, URI.create("http://catalog:0080/"))).isEqualTo("plain");
        assertThat(Uris.find(hosts, URI.create("http://odd:08080/"))).isEqualTo("o");
        assertThat(Uris.find(hosts, URI.create("http://catalog:00/"))).isNull();
        assertThat(Uris.find(hosts, URI.create("http://user@catalog/"))).isNull();
        assertThat(Uris.find(hosts, URI.create("mailto:a"))).isNull();
        assertThat(Uris.find(hosts, URI.create("https://users:/"))).isEqualTo("secure");
        assertThat(Uris.find(Map.of("my_host", "it"), URI.create("http://my_host:80/")))
                .isEqualTo("it");
        assertThat(Uris.find(Map.of("[::1]", "v6"), URI.create("http://[::1]/")))
                .isEqualTo("v6");
        assertThat(Uris.find(Map.of("[::1]", "v6"), URI.create("http://[::1]:80/")))
                .isEqualTo("v6");
    }
}
