package dev.levee;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The arrows between modules and packages, and what no class of the library may do. */
class ArchitectureTest {

    private static final JavaClasses LIBRARY = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.levee");

    private static final String[] CORE = {"dev.levee.core", "dev.levee.core.internal"};
    private static final Set<String> SIBLINGS = Set.of("circuitbreaker", "ratelimit", "loadbalancing", "cache");

    /** The one class that asks the machine for time, threads and randomness; all others ask their environment. */
    private static final String MACHINE = "dev.levee.core.SystemTime";

    private static final Map<String, Set<String>> OF_THE_MACHINE = Map.ofEntries(
            Map.entry("java.lang.System", Set.of("nanoTime", "currentTimeMillis")),
            Map.entry("java.lang.Thread", Set.of("sleep")),
            Map.entry("java.lang.Math", Set.of("random")),
            Map.entry("java.lang.Object", Set.of("wait")),
            Map.entry("java.time.Clock", Set.of("system", "systemUTC", "systemDefaultZone")),
            Map.entry("java.time.Instant", Set.of("now")),
            Map.entry("java.time.InstantSource", Set.of("system")),
            Map.entry("java.util.concurrent.TimeUnit", Set.of("sleep", "timedJoin", "timedWait")),
            Map.entry("java.util.concurrent.ThreadLocalRandom", Set.of("current")),
            Map.entry("java.util.concurrent.ForkJoinPool", Set.of("commonPool")),
            Map.entry("java.util.concurrent.locks.LockSupport", Set.of("parkNanos", "parkUntil")),
            Map.entry("java.util.concurrent.locks.Condition", Set.of("awaitNanos", "awaitUntil")));

    @Nested
    class Arrows {

        @ParameterizedTest
        @ValueSource(strings = {"circuitbreaker", "ratelimit", "loadbalancing", "cache"})
        void siblings_meet_only_in_core(String sibling) {
            String[] others = SIBLINGS.stream()
                    .filter(other -> !other.equals(sibling))
                    .map(other -> "dev.levee." + other + "..")
                    .toArray(String[]::new);

            noClasses()
                    .that()
                    .resideInAPackage("dev.levee." + sibling + "..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(others)
                    .check(LIBRARY);
        }

        @Test
        void core_knows_no_sibling() {
            String[] siblings =
                    SIBLINGS.stream().map(it -> "dev.levee." + it + "..").toArray(String[]::new);

            noClasses()
                    .that()
                    .resideInAPackage("dev.levee.core..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(siblings)
                    .check(LIBRARY);
        }

        @Test
        void the_call_model_knows_no_policy() {
            noClasses()
                    .that()
                    .resideInAnyPackage(CORE)
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.levee.core.policy..", "dev.levee.core.idempotency..", "dev.levee.core.signals..")
                    .check(LIBRARY);
        }

        @Test
        void idempotency_and_the_policies_do_not_know_each_other() {
            noClasses()
                    .that()
                    .resideInAPackage("dev.levee.core.idempotency..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("dev.levee.core.policy..")
                    .check(LIBRARY);
            noClasses()
                    .that()
                    .resideInAPackage("dev.levee.core.policy..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("dev.levee.core.idempotency..")
                    .check(LIBRARY);
        }

        /** loadbalancing uses strategy, discovery and hash; strategy uses discovery and hash; these two use neither. */
        @Test
        void the_packages_of_the_balancer_are_layers() {
            layeredArchitecture()
                    .consideringOnlyDependenciesInAnyPackage("dev.levee.loadbalancing..")
                    .layer("balancer and health")
                    .definedBy("dev.levee.loadbalancing")
                    .layer("strategy")
                    .definedBy("dev.levee.loadbalancing.strategy")
                    .layer("discovery")
                    .definedBy("dev.levee.loadbalancing.discovery")
                    .layer("hash")
                    .definedBy("dev.levee.loadbalancing.hash")
                    .whereLayer("balancer and health")
                    .mayNotBeAccessedByAnyLayer()
                    .whereLayer("balancer and health")
                    .mayOnlyAccessLayers("strategy", "discovery", "hash")
                    .whereLayer("strategy")
                    .mayOnlyAccessLayers("discovery", "hash")
                    .whereLayer("discovery")
                    .mayNotAccessAnyLayer()
                    .whereLayer("hash")
                    .mayNotAccessAnyLayer()
                    .check(LIBRARY);
        }

        @Test
        void the_library_does_not_use_its_test_support() {
            noClasses()
                    .that()
                    .resideOutsideOfPackage("dev.levee.core.testing..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage("dev.levee.core.testing..")
                    .check(LIBRARY);
        }

        @Test
        void packages_form_no_cycle() {
            slices().matching("dev.levee.(**)").should().beFreeOfCycles().check(LIBRARY);
        }

        @Test
        void the_library_uses_the_JDK_SLF4J_and_JSpecify_and_nothing_else() {
            classes()
                    .that()
                    .resideOutsideOfPackages(
                            "dev.levee.cache..",
                            "dev.levee.dns..",
                            "dev.levee.http.server..",
                            "dev.levee.console..",
                            "dev.levee.httpclient5..",
                            "dev.levee.okhttp..",
                            "dev.levee.springcache..",
                            "dev.levee.jcache..",
                            "dev.levee.micrometer..",
                            "dev.levee.opentelemetry..",
                            "dev.levee.contextpropagation..",
                            "dev.levee.redis..",
                            "dev.levee.grpc..")
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.levee..",
                            "java..",
                            "javax.sql",
                            "javax.net.ssl",
                            "org.slf4j..",
                            "org.jspecify.annotations")
                    .check(LIBRARY);
        }

        @Test
        void the_cache_uses_Caffeine_too() {
            classes()
                    .that()
                    .resideInAPackage("dev.levee.cache..")
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.levee..",
                            "java..",
                            "org.slf4j..",
                            "org.jspecify.annotations",
                            "com.github.benmanes.caffeine.cache..")
                    .check(LIBRARY);
        }

        @Test
        void what_carries_context_and_traces_uses_the_API_for_that() {
            classes()
                    .that()
                    .resideInAPackage("dev.levee.opentelemetry..")
                    .and()
                    .haveNameNotMatching(".*\\.OpenTelemetryHistograms(\\$.*)?") // needs the SDK: ADR 184
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.levee..",
                            "java..",
                            "org.slf4j..",
                            "org.jspecify.annotations",
                            "io.opentelemetry.api..",
                            "io.opentelemetry.context..")
                    .check(LIBRARY);
            classes()
                    .that()
                    .resideInAPackage("dev.levee.contextpropagation..")
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage("dev.levee..", "java..", "org.jspecify.annotations", "io.micrometer.context..")
                    .check(LIBRARY);
        }

        @Test
        void adapters_use_the_interfaces_that_they_adapt_to_and_not_Caffeine() {
            classes()
                    .that()
                    .resideInAPackage("dev.levee.springcache..")
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.levee..", "java..", "org.jspecify.annotations", "org.springframework.cache..")
                    .check(LIBRARY);
            classes()
                    .that()
                    .resideInAPackage("dev.levee.jcache..")
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage("dev.levee..", "java..", "org.jspecify.annotations", "javax.cache..")
                    .check(LIBRARY);
        }

        @Test
        void the_bridge_to_micrometer_uses_it_and_the_model_of_prometheus() {
            classes()
                    .that()
                    .resideInAPackage("dev.levee.micrometer..")
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.levee..",
                            "java..",
                            "org.slf4j",
                            "org.jspecify.annotations",
                            "io.micrometer..",
                            "io.prometheus.metrics.model..")
                    .check(LIBRARY);
        }

        @Test
        void adapters_of_HTTP_clients_use_these_clients_too() {
            classes()
                    .that()
                    .resideInAPackage("dev.levee.okhttp..")
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.levee..", "java..", "org.jspecify.annotations", "okhttp3", "okio", "kotlin..")
                    .check(LIBRARY);
            classes()
                    .that()
                    .resideInAPackage("dev.levee.httpclient5..")
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.levee..",
                            "java..",
                            "org.jspecify.annotations",
                            "javax.net.ssl",
                            "org.apache.hc.client5.http..",
                            "org.apache.hc.core5..")
                    .check(LIBRARY);
        }

        @Test
        void guards_of_gRPC_use_its_API_and_its_load_balancers_in_one_package_only() {
            classes()
                    .that()
                    .resideInAPackage("dev.levee.grpc..")
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.levee..", "java..", "org.slf4j", "org.jspecify.annotations", "io.grpc", "io.grpc.util")
                    .check(LIBRARY);
            noClasses()
                    .that()
                    .resideInAPackage("dev.levee.grpc")
                    .should()
                    .dependOnClassesThat()
                    .haveNameMatching("io\\.grpc\\.(LoadBalancer.*|util\\..*)")
                    .check(LIBRARY);
        }

        @Test
        void filters_use_the_servers_too() {
            classes()
                    .that()
                    .resideInAPackage("dev.levee.http.server..")
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.levee..",
                            "java..",
                            "org.slf4j",
                            "org.jspecify.annotations",
                            "jakarta.servlet..",
                            "com.sun.net.httpserver")
                    .check(LIBRARY);
        }

        @Test
        void the_console_uses_the_server_of_the_JDK_too() {
            classes()
                    .that()
                    .resideInAPackage("dev.levee.console..")
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.levee..", "java..", "org.slf4j", "org.jspecify.annotations", "com.sun.net.httpserver")
                    .check(LIBRARY);
        }

        /**
         * Its transport shares a thread with the whole JVM, so what it has for messages and look-ups is used, and no
         * more.
         */
        @Test
        void discovery_by_DNS_uses_dnsjava_too() {
            classes()
                    .that()
                    .resideInAPackage("dev.levee.dns..")
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            "dev.levee..",
                            "java..",
                            "org.slf4j",
                            "org.jspecify.annotations",
                            "org.xbill.DNS",
                            "org.xbill.DNS.lookup")
                    .check(LIBRARY);
        }
    }

    @Nested
    class Code {

        /** A virtual thread that blocks in one pins its carrier, and a caller can take the same lock. */
        @Test
        void no_method_is_synchronized() {
            noMethods().should().haveModifier(JavaModifier.SYNCHRONIZED).check(LIBRARY);
        }

        @Test
        void time_waiting_and_randomness_come_from_the_environment() {
            noClasses()
                    .that(describe("are not " + MACHINE, type -> !topLevel(type).equals(MACHINE)))
                    .should()
                    .accessTargetWhere(describe("it is the machine's", access -> isOfTheMachine(access.getTarget())))
                    .check(LIBRARY);
        }

        @Test
        void one_class_asks_the_machine() {
            classes()
                    .that(describe("are in " + MACHINE, type -> topLevel(type).equals(MACHINE)))
                    .should()
                    .bePackagePrivate()
                    .orShould()
                    .bePrivate()
                    .check(LIBRARY);
        }

        @Test
        void every_package_is_null_marked() throws ClassNotFoundException {
            Set<String> packages =
                    LIBRARY.stream().map(JavaClass::getPackageName).collect(Collectors.toCollection(TreeSet::new));

            assertThat(packages).isNotEmpty();
            for (String name : packages) {
                assertThat(Class.forName(name + ".package-info")).as(name).hasAnnotation(NullMarked.class);
            }
        }
    }

    private static String topLevel(JavaClass type) {
        return Stream.iterate(type, it -> it.getEnclosingClass().orElse(null))
                .takeWhile(Objects::nonNull)
                .reduce((inner, outer) -> outer)
                .orElseThrow()
                .getName();
    }

    private static boolean isOfTheMachine(AccessTarget target) {
        String owner = target.getOwner().getName();
        return OF_THE_MACHINE.getOrDefault(owner, Set.of()).contains(target.getName())
                || (owner.startsWith("java.util.concurrent.") && waits(target));
    }

    /** A method that takes a number and a unit measures the time with the machine's clock. */
    private static boolean waits(AccessTarget target) {
        return target instanceof AccessTarget.CodeUnitAccessTarget method
                && !method.getOwner().isEquivalentTo(TimeUnit.class)
                && !method.getOwner().isEquivalentTo(ThreadPoolExecutor.class) // how long it keeps idle threads
                && method.getRawParameterTypes().stream().anyMatch(type -> type.isEquivalentTo(TimeUnit.class));
    }
}
