package dev.levee.redis.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.CacheConfig;
import dev.levee.cache.Loader;
import dev.levee.core.CallContext;
import dev.levee.core.FaultProxy;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tags of two tiers. A value is {@code text/tag,tag}. */
class TierTagsTest extends OneServerTests {
    private final AtomicInteger asked = new AtomicInteger();

    private void tagged(CacheConfig.Builder<String, String> near) {
        near.tags((key, value) -> {
            asked.incrementAndGet();
            return tags(value);
        });
    }

    @BeforeEach
    void open() {
        tiers.rows.put("a", "1/red,blue");
        tiers.rows.put("b", "1/blue");
        tiers.rows.put("c", "1/");
    }

    private static List<String> tags(String value) {
        String all = value.substring(value.indexOf('/') + 1);
        return all.isEmpty() ? List.of() : Arrays.asList(all.split(",", -1));
    }

    private TwoTierCache<String, String> cache(Loader<String, String> loader) {
        return cache(tier -> {}, this::tagged, loader);
    }

    @Override
    TwoTierCache<String, String> cache() {
        return cache(tiers.new Rows());
    }

    private static void readAll(TwoTierCache<String, String> cache) {
        List.of("a", "b", "c").forEach(cache::get);
    }

    private void change() {
        tiers.rows.replaceAll((key, value) -> value.replace("1/", "2/"));
    }

    private static List<String> values(TwoTierCache<String, String> cache) {
        return List.of("a", "b", "c").stream()
                .map(key -> cache.get(key).substring(0, 1))
                .toList();
    }

    @Test
    void what_has_a_tag_is_dropped_everywhere_and_nothing_else() {
        TwoTierCache<String, String> one = cache();
        TwoTierCache<String, String> two = cache();
        readAll(one);
        readAll(two);
        change();
        one.invalidateTag("red");
        assertThat(values(one)).containsExactly("2", "1", "1");
        Tiers.await(() -> values(two).equals(List.of("2", "1", "1")));
        assertThat(values(cache())).containsExactly("2", "1", "1");
        two.invalidateTag("blue");
        assertThat(values(two)).containsExactly("2", "2", "1");
        Tiers.await(() -> values(one).equals(List.of("2", "2", "1")));
        assertThat(tiers.loads).hasValue(6);
    }

    @Test
    void tags_are_asked_for_once_for_each_value_and_come_back_from_redis() {
        readAll(cache());
        TwoTierCache<String, String> two = cache();
        readAll(two);
        assertThat(asked).hasValue(3);
        change();
        two.invalidateTag("blue");
        assertThat(values(two)).containsExactly("2", "2", "1");
    }

    @Test
    void many_are_read_at_once_with_their_tags() {
        dev.levee.cache.BulkLoader<String, String> many = keys -> {
            tiers.loads.incrementAndGet();
            return tiers.rows;
        };
        List<String> keys = List.of("a", "b", "c");
        cache(many).getAll(keys);
        TwoTierCache<String, String> two = cache(many);
        change();
        cache(many).invalidateTag("red");
        assertThat(two.getAll(keys))
                .containsEntry("a", "2/red,blue")
                .containsEntry("b", "1/blue")
                .containsEntry("c", "1/");
        assertThat(tiers.loads).hasValue(2);
    }

    @Test
    void a_late_fill_does_not_put_back_what_has_the_tag() {
        TwoTierCache<String, String> two = cache();
        TwoTierCache<String, String> one = cache(key -> {
            String row = tiers.rows.get(key);
            if (row.startsWith("1/")) {
                change();
                two.invalidateTag("red");
            }
            return row;
        });
        assertThat(one.get("a")).startsWith("1/");
        assertThat(two.get("a")).startsWith("2/");
        Tiers.await(() -> one.get("a").startsWith("2/"));
    }

    @Test
    void an_absent_value_may_have_any_tag() {
        TwoTierCache<String, String> one = cache(
                tier -> tier.expireAbsentAfter(Duration.ofMinutes(1)),
                near -> tagged(near.expireAbsentAfter(Duration.ofMinutes(1))),
                tiers.new Rows());
        assertThat(one.get("none")).isNull();
        assertThat(one.get("none")).isNull();
        assertThat(tiers.loads).hasValue(1);
        tiers.rows.put("none", "1/green");
        one.invalidateTag("green");
        assertThat(one.get("none")).isEqualTo("1/green");
    }

    @Test
    void a_value_that_is_put_has_tags() {
        TwoTierCache<String, String> one = cache();
        TwoTierCache<String, String> two = cache();
        one.put("x", "7/red");
        assertThat(two.get("x")).isEqualTo("7/red");
        tiers.rows.put("x", "8/red");
        two.invalidateTag("red");
        assertThat(two.get("x")).isEqualTo("8/red");
        one.put("x", "9/red");
        assertThat(two.get("x")).isIn("8/red", "9/red");
        assertThat(cache().get("x")).isEqualTo("9/red");
    }

    @Test
    void a_session_sees_the_invalidation_of_a_tag_in_another_process_at_once() {
        TwoTierCache<String, String> one = cache();
        TwoTierCache<String, String> two = cache();
        Session session = new Session();
        CallContext mine = CallContext.current().withSession(session).withConsistency(Consistency.session());
        for (int i = 1; i < 100; i++) {
            two.get("a");
            String value = i + "/red";
            tiers.rows.put("a", value);
            mine.run(() -> one.invalidateTag("red"));
            assertThat(mine.<String, RuntimeException>call(() -> two.get("a"))).isEqualTo(value);
        }
    }

    @Test
    void a_tag_that_redis_did_not_hear_of_is_repeated() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(server.port())) {
            TwoTierCache<String, String> one = tiers.cache(proxy.port(), tier -> {}, this::tagged, tiers.new Rows());
            TwoTierCache<String, String> two = cache();
            Tiers.trusted(one);
            readAll(two);
            proxy.refuse(true);
            proxy.cut();
            Tiers.await(one::isSuspect);
            change();
            one.invalidateTag("red");
            assertThat(one.pendingInvalidations()).isEqualTo(1);
            assertThat(one.get("a")).startsWith("2/");
            proxy.refuse(false);
            Tiers.await(() -> two.get("a").startsWith("2/"));
            Tiers.await(() -> one.pendingInvalidations() == 0);
            assertThat(two.get("b")).startsWith("1/");
        }
    }

    @Test
    void tags_that_redis_has_forgotten_count_for_all_values_that_have_some() {
        TwoTierCache<String, String> one = cache();
        readAll(one);
        one.invalidateTag("green");
        change();
        tiers.commands(server).del("levee:{rows}:1:t"); // evicted
        assertThat(values(cache())).containsExactly("2", "2", "2");
    }

    @Test
    void redis_remembers_no_more_tags_than_a_bound_and_forgets_none_of_their_effect() {
        TwoTierCache<String, String> one = cache();
        readAll(one);
        change();
        one.invalidateTag("red");
        for (int i = 0; i < 10_050; i++) {
            one.invalidateTag("other" + i);
        }
        assertThat(tiers.commands(server).zcard("levee:{rows}:1:t")).isBetween(9_000L, 10_001L);
        assertThat(tiers.commands(server).zscore("levee:{rows}:1:t", "tred")).isNull();
        assertThat(cache().get("a")).startsWith("2/");
    }

    @Test
    void replicas_are_not_read_for_a_while_after_many_keys_were_invalidated() {
        AtomicReference<String> replica = new AtomicReference<>("1/red");
        tiers.rows.put("a", "1/red");
        Loader<String, String> reader = key -> {
            Consistency choice = CallContext.current().consistency();
            return choice != null && choice.kind() == Consistency.Kind.STRONG ? tiers.rows.get(key) : replica.get();
        };
        TwoTierCache<String, String> one = cache(tier -> tier.replicaLag(Duration.ofSeconds(60)), this::tagged, reader);
        assertThat(one.get("a")).isEqualTo("1/red");
        tiers.rows.put("a", "2/red");
        one.invalidateTag("red");
        assertThat(one.get("a")).isEqualTo("2/red");
        assertThat(tiers.commands(server).exists("levee:{rows}:1:v:a")).isEqualTo(1);
        tiers.commands(server).flushall();
        Tiers.await(() -> one.get("a").equals("1/red")); // nothing is known to have changed
        tiers.rows.put("a", "3/red");
        one.invalidateAll();
        assertThat(one.get("a")).isEqualTo("3/red");
    }

    @Test
    void processes_with_and_without_tags_do_not_read_each_others_values() {
        TwoTierCache<String, String> plain = cache(tier -> {}, near -> {}, tiers.new Rows());
        TwoTierCache<String, String> one = cache();
        plain.get("a");
        change();
        one.invalidateTag("red");
        assertThat(one.get("a")).startsWith("2/");
        Tiers.await(() -> plain.get("a").startsWith("2/"));
    }

    @Test
    void bad_tags_are_refused_by_name() {
        assertThatThrownBy(() -> tiers.cache(server.port()).invalidateTag("red"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("has no tags");
        TwoTierCache<String, String> one = cache();
        assertThatThrownBy(() -> one.invalidateTag(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("tag");
        assertThatThrownBy(() -> one.invalidateTag("\ud800")).isInstanceOf(IllegalArgumentException.class);
        for (List<String> wrong : Arrays.asList(null, Collections.singletonList((String) null))) {
            TwoTierCache<String, String> two =
                    cache(tier -> {}, near -> near.tags((key, value) -> wrong), tiers.new Rows());
            assertThatThrownBy(() -> two.get("a")).hasRootCauseInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> two.put("a", "1/")).isInstanceOf(NullPointerException.class);
        }
        assertThat(one.get("a")).as("no lease is left").isEqualTo("1/red,blue");
        assertThat(Tiers.metric(one, "cache.redis.past")).isZero();
    }
}
