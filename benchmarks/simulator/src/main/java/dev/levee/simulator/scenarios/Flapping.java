package dev.levee.simulator.scenarios;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.HashRing;
import dev.levee.loadbalancing.hash.JumpHash;
import dev.levee.loadbalancing.hash.Maglev;
import dev.levee.loadbalancing.hash.Member;
import dev.levee.loadbalancing.hash.MementoHash;
import dev.levee.loadbalancing.hash.RendezvousHash;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.simulator.Cluster;
import dev.levee.simulator.Recorder;
import dev.levee.simulator.Server;
import dev.levee.simulator.SharingServer;
import dev.levee.simulator.TicketClient;
import dev.levee.simulator.Traffic;
import dev.levee.simulator.Work;
import dev.levee.simulator.World;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.Measure;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;

/** M: servers that leave and come back, ten changes a second. */
final class Flapping {
    static final Measure WRONG = Measure.less("picks of a server that is not there", 0);
    static final Measure LEFT_OVER = Measure.less("calls counted after all have ended", 0);
    private static final Measure MOVED = Measure.less("keys moved ÷ least possible", 3);
    private static final Measure PEAK = Measure.less("fullest ÷ mean share", 3);

    private static final int SERVERS = 100;
    private static final int KEYS = 20_000;
    private static final int CHANGES = 60;

    private Flapping() {}

    private static Subject hash(String name) {
        return Subject.named(name, Subject.Role.SHIPPED);
    }

    private static final Subject MEMENTO = hash("memento");

    static Scenario scenario() {
        List<Subject> picks = new ArrayList<>(Strategies.all());
        picks.add(Subject.of("ring", BalancingStrategy.consistentHash()));
        picks.add(Subject.of("maglev", BalancingStrategy.consistentHash(Maglev::of)));
        picks.add(Subject.of("bounded loads, ε = 0.25", BalancingStrategy.boundedLoads(0.25)));
        return new Scenario(
                "m-flapping",
                "M: servers that come and go",
                List.of(
                        Part.of(
                                "m-flapping",
                                "Keys moved by a change of a hundred servers, against the least possible",
                                """
                                A hundred servers; sixty times one of them leaves, or one of those that left comes back.
                                Twenty thousand keys are looked up before and after: those of a server that left must
                                move, and one that comes back must get its share; everything else need not. "key mod n"
                                is what not to do. Memento knows the order of the changes, the others the set alone.
                                """,
                                List.of(
                                        hash("ring"),
                                        hash("maglev"),
                                        hash("rendezvous"),
                                        MEMENTO,
                                        hash("jump"),
                                        Subject.named("key mod n", Subject.Role.THEORY)),
                                List.of(MOVED, PEAK),
                                (subject, seed, scale) -> moved(subject, seed)),
                        Part.of(
                                "m-picks",
                                "Picks while the set changes ten times a second",
                                """
                                Fifty servers, ten clients, 4000 calls a second for 10 s; every 100 ms a server leaves
                                or comes back. Every pick is held against the set of that moment, and when all calls
                                have ended every counter must be 0.
                                """,
                                picks,
                                List.of(Measures.P99, WRONG, LEFT_OVER, Measures.SUCCESS),
                                Flapping::picks)));
    }

    private static Function<List<Member>, ConsistentHash> maker(String name) {
        return switch (name) {
            case "ring" -> HashRing::of;
            case "maglev" -> Maglev::of;
            case "rendezvous" -> RendezvousHash::of;
            case "memento" -> MementoHash::of;
            default -> JumpHash::of;
        };
    }

    private static String owner(Subject subject, List<Member> members, ConsistentHash hash, long key) {
        return subject.role() == Subject.Role.THEORY
                ? members.get((int) (key % members.size())).id()
                : hash.members().get(hash.indexOf(key)).id();
    }

    private static String[] owners(Subject subject, List<Member> members, ConsistentHash hash) {
        String[] owners = new String[KEYS];
        for (int key = 0; key < KEYS; key++) {
            owners[key] = owner(subject, members, hash, key);
        }
        return owners;
    }

    static Figures moved(Subject subject, long seed) {
        SplittableRandom random = new World(seed).random("changes");
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < SERVERS; i++) {
            members.add(Member.of(Cluster.name(i)));
        }
        List<Member> gone = new ArrayList<>();
        ConsistentHash hash = maker(subject.name()).apply(members);
        String[] before = owners(subject, members, hash);
        double moved = 0;
        double least = 0;
        double peak = 0;
        for (int change = 0; change < CHANGES; change++) {
            boolean leaves = gone.isEmpty() || (gone.size() < SERVERS / 4 && random.nextBoolean());
            List<Member> from = leaves ? members : gone;
            Member changed = from.remove(random.nextInt(from.size()));
            (leaves ? gone : members).add(changed);
            hash = hash instanceof MementoHash memento
                    ? leaves ? memento.without(changed.id()) : memento.with(changed)
                    : maker(subject.name()).apply(members);
            String[] after = owners(subject, members, hash);
            for (int key = 0; key < KEYS; key++) {
                moved += before[key].equals(after[key]) ? 0 : 1;
                least += leaves && before[key].equals(changed.id()) ? 1 : 0;
            }
            least += leaves ? 0 : (double) KEYS / members.size();
            before = after;
            peak = Math.max(peak, fullest(after) / ((double) KEYS / members.size()));
        }
        return new Figures().put(MOVED, moved / least).put(PEAK, peak);
    }

    private static int fullest(String[] owners) {
        Map<String, Integer> keys = new HashMap<>();
        for (String owner : owners) {
            keys.merge(owner, 1, Integer::sum);
        }
        return Collections.max(keys.values());
    }

    static Figures picks(Subject subject, long seed, double scale) {
        World world = new World(seed);
        Cluster<SharingServer> cluster = Cluster.of(world, 50, i -> new SharingServer(world, Cluster.name(i), 2));
        UpdatableEndpoints<Server> source = EndpointSource.updatable(cluster.endpoints());
        Set<Server> present = new HashSet<>(cluster.servers());
        SplittableRandom random = world.random("changes");
        world.time().every(100 * MILLI, () -> {
            Server server = cluster.servers().get(random.nextInt(50));
            if (!present.remove(server)) {
                present.add(server);
            } else if (present.size() < 25) {
                present.add(server);
            }
            List<Endpoint<Server>> now = cluster.endpoints().stream()
                    .filter(it -> present.contains(it.address()))
                    .toList();
            source.set(now);
        });
        Recorder recorder = new Recorder(world, SECOND, SECOND);
        long[] wrong = new long[1];
        TicketClient.Watch watch = new TicketClient.Watch() {
            @Override
            public void picked(long key, Server server) {
                wrong[0] += present.contains(server) ? 0 : 1;
            }
        };
        List<TicketClient> clients = new ArrayList<>();
        List<LoadBalancer<Server>> balancers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            LoadBalancer<Server> balancer =
                    cluster.balancer(i, subject.strategyFor(world, 10 * MILLI), source, config -> {});
            balancers.add(balancer);
            clients.add(new TicketClient(world, balancer, recorder, server -> MILLI / 4, Long.MAX_VALUE, true, watch));
        }
        new Traffic(
                        world,
                        clients,
                        recorder,
                        4_000,
                        Work.exponential(10 * MILLI),
                        random2 -> random2.nextLong(1L << 40))
                .run(SECOND + (long) (10 * SECOND * scale));
        long left = balancers.stream()
                .flatMap(it -> it.snapshot().stream())
                .mapToLong(it -> Math.abs(it.inFlight()))
                .sum();
        return Measures.of(recorder.phase(0)).put(WRONG, (double) wrong[0]).put(LEFT_OVER, (double) left);
    }
}
