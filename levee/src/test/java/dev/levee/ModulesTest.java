package dev.levee;

import static java.util.stream.Collectors.toCollection;
import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.lang.module.Configuration;
import java.lang.module.FindException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The jars as modules: they resolve together, export what they say, and require what they promise. */
class ModulesTest {

    /** Name of each module beside what it requires, java.base and the optional annotations aside. */
    private static final Map<String, Set<String>> REQUIRED = Map.ofEntries(
            Map.entry("dev.levee.core", Set.of("org.slf4j")),
            Map.entry("dev.levee.circuitbreaker", Set.of("dev.levee.core", "org.slf4j")),
            Map.entry("dev.levee.ratelimit", Set.of("dev.levee.core", "org.slf4j")),
            Map.entry("dev.levee.loadbalancing", Set.of("dev.levee.core", "org.slf4j")),
            Map.entry("dev.levee.cache", Set.of("dev.levee.core", "org.slf4j", "com.github.benmanes.caffeine")),
            Map.entry(
                    "dev.levee.jdbc",
                    Set.of(
                            "dev.levee.core",
                            "dev.levee.ratelimit",
                            "dev.levee.loadbalancing",
                            "dev.levee.cache",
                            "org.slf4j",
                            "java.sql")),
            Map.entry(
                    "dev.levee.redis",
                    Set.of(
                            "dev.levee.core",
                            "dev.levee.ratelimit",
                            "dev.levee.loadbalancing",
                            "dev.levee.cache",
                            "org.slf4j",
                            "lettuce.core")),
            Map.entry(
                    "dev.levee.http",
                    Set.of(
                            "dev.levee.core",
                            "dev.levee.circuitbreaker",
                            "dev.levee.loadbalancing",
                            "org.slf4j",
                            "java.net.http")),
            Map.entry(
                    "dev.levee.okhttp",
                    Set.of("dev.levee.core", "dev.levee.http", "dev.levee.loadbalancing", "okhttp3", "okio")),
            Map.entry(
                    "dev.levee.httpclient5",
                    Set.of(
                            "dev.levee.core",
                            "dev.levee.http",
                            "dev.levee.loadbalancing",
                            "org.apache.httpcomponents.client5.httpclient5",
                            "org.apache.httpcomponents.core5.httpcore5")),
            Map.entry("dev.levee.http.server", Set.of("dev.levee.core", "dev.levee.ratelimit", "org.slf4j")),
            Map.entry("dev.levee.dns", Set.of("dev.levee.core", "dev.levee.loadbalancing", "org.slf4j", "org.dnsjava")),
            Map.entry("dev.levee.journal", Set.of("dev.levee.cache", "org.slf4j")),
            Map.entry(
                    "dev.levee",
                    Set.of(
                            "dev.levee.core",
                            "dev.levee.circuitbreaker",
                            "dev.levee.ratelimit",
                            "dev.levee.loadbalancing",
                            "dev.levee.cache")),
            Map.entry("dev.levee.springcache", Set.of("dev.levee.core", "dev.levee.cache")),
            Map.entry("dev.levee.jcache", Set.of("dev.levee.core", "dev.levee.cache", "cache.api")),
            Map.entry("dev.levee.micrometer", Set.of("dev.levee.core", "org.slf4j")),
            Map.entry("dev.levee.opentelemetry", Set.of("dev.levee.core", "org.slf4j")),
            Map.entry("dev.levee.contextpropagation", Set.of("dev.levee.core")),
            Map.entry(
                    "dev.levee.console",
                    Set.of(
                            "dev.levee.core",
                            "dev.levee.circuitbreaker",
                            "dev.levee.loadbalancing",
                            "org.slf4j",
                            "jdk.httpserver")),
            Map.entry(
                    "dev.levee.grpc",
                    Set.of("dev.levee.core", "dev.levee.loadbalancing", "dev.levee.ratelimit", "org.slf4j")));

    private static final Map<String, Set<String>> EXPORTED = Map.ofEntries(
            Map.entry(
                    "dev.levee.core",
                    Set.of(
                            "dev.levee.core",
                            "dev.levee.core.consistency",
                            "dev.levee.core.histogram",
                            "dev.levee.core.idempotency",
                            "dev.levee.core.policy",
                            "dev.levee.core.signals",
                            "dev.levee.core.testing")),
            Map.entry("dev.levee.circuitbreaker", Set.of("dev.levee.circuitbreaker")),
            Map.entry(
                    "dev.levee.ratelimit",
                    Set.of(
                            "dev.levee.ratelimit",
                            "dev.levee.ratelimit.concurrency",
                            "dev.levee.ratelimit.http",
                            "dev.levee.ratelimit.shared",
                            "dev.levee.ratelimit.work")),
            Map.entry(
                    "dev.levee.loadbalancing",
                    Set.of(
                            "dev.levee.loadbalancing",
                            "dev.levee.loadbalancing.discovery",
                            "dev.levee.loadbalancing.hash",
                            "dev.levee.loadbalancing.strategy")),
            Map.entry("dev.levee.cache", Set.of("dev.levee.cache", "dev.levee.cache.writebehind")),
            Map.entry(
                    "dev.levee.jdbc",
                    Set.of(
                            "dev.levee.jdbc",
                            "dev.levee.jdbc.limits",
                            "dev.levee.jdbc.routing",
                            "dev.levee.jdbc.store")),
            Map.entry("dev.levee.redis", Set.of("dev.levee.redis", "dev.levee.redis.cache")),
            Map.entry("dev.levee.http", Set.of("dev.levee.http")),
            Map.entry("dev.levee.okhttp", Set.of("dev.levee.okhttp")),
            Map.entry("dev.levee.httpclient5", Set.of("dev.levee.httpclient5")),
            Map.entry("dev.levee.http.server", Set.of("dev.levee.http.server")),
            Map.entry("dev.levee.dns", Set.of("dev.levee.dns")),
            Map.entry("dev.levee.journal", Set.of("dev.levee.journal")),
            Map.entry("dev.levee", Set.of()),
            Map.entry("dev.levee.springcache", Set.of("dev.levee.springcache")),
            Map.entry("dev.levee.jcache", Set.of("dev.levee.jcache")),
            Map.entry("dev.levee.micrometer", Set.of("dev.levee.micrometer")),
            Map.entry("dev.levee.opentelemetry", Set.of("dev.levee.opentelemetry")),
            Map.entry("dev.levee.contextpropagation", Set.of("dev.levee.contextpropagation")),
            Map.entry("dev.levee.console", Set.of("dev.levee.console")),
            Map.entry("dev.levee.grpc", Set.of("dev.levee.grpc", "dev.levee.grpc.balancing")));

    /** Of servers and frameworks, which bring their own: not required at run time, but named by signatures. */
    private static final Set<String> OF_OTHERS = Set.of(
            "jakarta.servlet",
            "jdk.httpserver",
            "spring.context",
            "micrometer.commons",
            "micrometer.core",
            "micrometer.observation",
            "micrometer.registry.prometheus",
            "io.prometheus.metrics.model",
            "io.opentelemetry.api",
            "io.opentelemetry.context",
            "io.opentelemetry.sdk.common",
            "io.opentelemetry.sdk.metrics",
            "context.propagation",
            "io.grpc",
            "io.grpc.util",
            "com.fasterxml.jackson.databind");

    /** They have a name in their manifest, and no descriptor. */
    private static final Set<String> AUTOMATIC = Set.of(
            "spring.context",
            "spring.core",
            "cache.api",
            "micrometer.commons",
            "micrometer.core",
            "micrometer.observation",
            "micrometer.registry.prometheus",
            "io.prometheus.metrics.model",
            "io.opentelemetry.api",
            "io.opentelemetry.context",
            "io.opentelemetry.sdk.common",
            "io.opentelemetry.sdk.metrics",
            "context.propagation",
            "io.grpc",
            "io.grpc.util",
            "okio",
            "lettuce.core",
            "reactor.core",
            "redis.clients.authentication.core",
            "org.reactivestreams",
            "org.apache.httpcomponents.client5.httpclient5",
            "org.apache.httpcomponents.core5.httpcore5",
            "org.apache.httpcomponents.core5.httpcore5.h2");

    private static final List<ModuleReference> CLASS_PATH = Stream.of(
                    System.getProperty("java.class.path").split(File.pathSeparator, -1))
            .map(Path::of)
            .flatMap(ModulesTest::modulesOf)
            .toList();

    private final Map<String, ModuleReference> library = CLASS_PATH.stream()
            .filter(it -> REQUIRED.containsKey(it.descriptor().name()))
            .collect(toMap(it -> it.descriptor().name(), it -> it));

    @Test
    void every_module_has_a_descriptor() {
        assertThat(library.keySet()).isEqualTo(REQUIRED.keySet());
    }

    @Test
    void each_requires_what_is_promised_and_nothing_else() {
        library.forEach((name, module) -> assertThat(module.descriptor().requires())
                .as(name)
                .filteredOn(it -> !it.modifiers().contains(ModuleDescriptor.Requires.Modifier.STATIC))
                .extracting(ModuleDescriptor.Requires::name)
                .filteredOn(it -> !it.equals("java.base"))
                .containsExactlyInAnyOrderElementsOf(REQUIRED.get(name)));
    }

    @Test
    void each_exports_its_public_packages_to_everybody() {
        library.forEach((name, module) -> assertThat(module.descriptor().exports())
                .as(name)
                .filteredOn(it -> !it.isQualified())
                .extracting(ModuleDescriptor.Exports::source)
                .containsExactlyInAnyOrderElementsOf(EXPORTED.get(name)));
    }

    @Test
    void they_resolve_and_load_without_the_class_path() throws Exception {
        Set<String> classes = new TreeSet<>();
        load((module, type) -> {
            assertThat(type.getModule().getName()).isEqualTo(module);
            // Resolves every type in a signature, so that one of a module that is not required fails here.
            assertThat(type.getDeclaredMethods()).as(type.getName()).isNotNull();
            classes.add(type.getName());
        });
        assertThat(classes).isNotEmpty();
    }

    @Test
    void public_types_are_in_exported_packages_only() throws Exception {
        Set<String> hidden = new TreeSet<>();
        load((module, type) -> {
            boolean exported = library.get(module).descriptor().exports().stream()
                    .anyMatch(it -> it.source().equals(type.getPackageName()));
            if (Modifier.isPublic(type.getModifiers()) && !exported) {
                hidden.add(type.getName());
            }
        });
        assertThat(hidden).as("public, but not exported").isEmpty();
    }

    /** Loads the classes of all modules, each with the name of its module. */
    private void load(BiConsumer<String, Class<?>> consumer) throws Exception {
        ModuleLayer layer = layer();
        for (String name : library.keySet()) {
            for (String type : classesOf(name)) {
                consumer.accept(name, Class.forName(type, false, layer.findLoader(name)));
            }
        }
    }

    private ModuleLayer layer() {
        ModuleFinder finder = ModuleFinder.of(CLASS_PATH.stream()
                .filter(it -> !it.descriptor().isAutomatic()
                        || AUTOMATIC.contains(it.descriptor().name()))
                .map(it -> Path.of(it.location().orElseThrow()))
                .toArray(Path[]::new));
        ModuleLayer boot = ModuleLayer.boot();
        Set<String> roots = new TreeSet<>(library.keySet());
        roots.addAll(OF_OTHERS);
        Configuration resolved = boot.configuration().resolve(finder, ModuleFinder.of(), roots);
        return boot.defineModulesWithOneLoader(resolved, ClassLoader.getPlatformClassLoader());
    }

    private Set<String> classesOf(String module) throws IOException {
        try (var reader = library.get(module).open();
                Stream<String> files = reader.list()) {
            return files.filter(it -> it.endsWith(".class") && !it.endsWith("-info.class"))
                    .map(it -> it.substring(0, it.length() - ".class".length()).replace('/', '.'))
                    .collect(toCollection(TreeSet::new));
        }
    }

    private static Stream<ModuleReference> modulesOf(Path entry) {
        try {
            return ModuleFinder.of(entry).findAll().stream();
        } catch (FindException e) {
            return Stream.empty(); // a jar of a test library that cannot be a module
        }
    }
}
