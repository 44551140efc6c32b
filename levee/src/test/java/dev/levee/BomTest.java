package dev.levee;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** The BOM has no parent, so that it leaks no versions; this keeps it in step with the modules. */
class BomTest {

    private static final XPath XPATH = XPathFactory.newInstance().newXPath();

    private static final Pattern ROW = Pattern.compile("\\| `(levee[a-z0-9-]*)` \\|");
    private static final Pattern PROVISIONAL = Pattern.compile("provisional=' (.*) '");

    private final Document parent = read("pom.xml");
    private final Document bom = read("integrations/bom/pom.xml");

    @Test
    void it_has_the_version_of_the_parent() {
        assertThat(text(bom, "/project/version")).isEqualTo(text(parent, "/project/version"));
        assertThat(texts(bom, "//dependencyManagement//version")).containsOnly("${project.version}");
    }

    @Test
    void it_lists_every_jar_that_users_get_and_nothing_else() {
        Set<String> jars = new TreeSet<>();
        for (String module : texts(parent, "/project/modules/module")) {
            Document pom = read(module + "/pom.xml");
            boolean jar = !text(pom, "/project/packaging").equals("pom");
            boolean deployed =
                    !text(pom, "/project/properties/maven.deploy.skip").equals("true");
            if (jar && deployed) {
                jars.add(text(pom, "/project/artifactId"));
            }
        }

        assertThat(jars).contains("levee", "levee-core");
        assertThat(texts(bom, "//dependencyManagement//artifactId")).containsExactlyInAnyOrderElementsOf(jars);
        assertThat(texts(bom, "//dependencyManagement//groupId")).containsOnly("dev.levee");
    }

    @Test
    void the_readme_has_a_row_for_each_of_its_jars() throws IOException {
        Set<String> rows = new TreeSet<>();
        Set<String> provisional = new TreeSet<>();
        Files.readString(Project.root().resolve("README.md")).lines().forEach(line -> {
            Matcher row = ROW.matcher(line);
            if (row.lookingAt()) {
                rows.add(row.group(1));
                if (line.contains("*(provisional)*")) {
                    provisional.add(row.group(1));
                }
            }
        });

        assertThat(rows).containsExactlyInAnyOrderElementsOf(texts(bom, "//dependencyManagement//artifactId"));
        Matcher list = PROVISIONAL.matcher(Files.readString(Project.root().resolve(".ci/api-check")));
        assertThat(list.find()).isTrue();
        assertThat(provisional).containsExactlyInAnyOrder(list.group(1).split(" "));
    }

    @Test
    void it_repeats_what_modules_inherit_from_the_parent() {
        for (String path :
                List.of("url", "scm/url", "scm/connection", "developers/developer/name", "licenses/license/name")) {
            assertThat(text(bom, "/project/" + path)).as(path).isEqualTo(text(parent, "/project/" + path));
        }
        for (String plugin : texts(bom, "//plugin/artifactId")) {
            String version = "//plugin[artifactId='" + plugin + "']/version";
            assertThat(text(bom, version)).as(plugin).isEqualTo(text(parent, version));
        }
    }

    private static Document read(String path) {
        Path file = Project.root().resolve(path);
        try {
            return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
        } catch (Exception e) {
            throw new AssertionError(file.toString(), e);
        }
    }

    private static String text(Document pom, String path) {
        try {
            return XPATH.evaluate(path, pom).strip();
        } catch (Exception e) {
            throw new AssertionError(path, e);
        }
    }

    private static List<String> texts(Document pom, String path) {
        try {
            NodeList nodes = (NodeList) XPATH.evaluate(path, pom, XPathConstants.NODESET);
            return IntStream.range(0, nodes.getLength())
                    .mapToObj(i -> nodes.item(i).getTextContent().strip())
                    .toList();
        } catch (Exception e) {
            throw new AssertionError(path, e);
        }
    }
}
