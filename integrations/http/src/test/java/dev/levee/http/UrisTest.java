package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import org.junit.jupiter.api.Test;

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
}
