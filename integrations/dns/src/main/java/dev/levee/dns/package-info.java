/**
 * Discovery by DNS: endpoints from A, AAAA and SRV records that are looked up again when their TTL ends.
 *
 * <p>{@link dev.levee.dns.DnsEndpoints} makes the sources, {@link dev.levee.dns.DnsConfig} says how name servers are
 * queried. Messages and records are those of <a href="https://github.com/dnsjava/dnsjava">dnsjava</a>. See ADR 57.
 */
@NullMarked
package dev.levee.dns;

import org.jspecify.annotations.NullMarked;
