package org.litestream4j;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.codeUnits;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Keeps true what the architecture says of the packages: which may use which. */
class ArchitectureTest {

    private static final String ROOT = "org.litestream4j";
    private static final String INTERNAL = ROOT + ".internal..";

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT);

    @ParameterizedTest
    @CsvSource({
        "error, ''",
        "ltx, ''",
        "internal.wal, ''",
        "internal.files, ''",
        "replica, error ltx internal.files",
        "internal.capture, error ltx internal.wal internal.files",
        "internal.replication, error ltx replica internal.capture",
        "internal.jdbc, error internal.capture internal.wal internal.files",
        "compaction, error ltx replica",
        "restore, error ltx replica internal.files",
        "copy, error ltx replica restore",
        "drill, error ltx replica compaction restore internal.files",
        "internal.pages, error ltx replica restore internal.files",
        "internal.vfs, error internal.pages ltx restore internal.files",
        "readreplica, error internal.vfs internal.pages ltx replica restore",
    })
    void packageUsesOnlyWhatItMay(String name, String others) {
        String[] allowed = Stream.concat(Stream.of(name), Arrays.stream(others.split(" ")))
                .filter(other -> !other.isEmpty())
                .map(other -> ROOT + "." + other + (other.equals(name) ? ".." : ""))
                .toArray(String[]::new);
        DescribedPredicate<JavaClass> ours = resideInAPackage(ROOT + "..");
        classes()
                .that()
                .resideInAPackage(ROOT + "." + name + "..")
                .should()
                .onlyDependOnClassesThat(
                        DescribedPredicate.not(ours).or(JavaClass.Predicates.resideInAnyPackage(allowed)))
                .allowEmptyShould(true)
                .check(CLASSES);
    }

    @Test
    void api_reachesTheEngineOnlyThroughItsBuilder() {
        classes()
                .that()
                .resideInAPackage(ROOT)
                .and(DescribedPredicate.not(JavaClass.Predicates.equivalentTo(Litestream.Builder.class)))
                .should()
                .onlyDependOnClassesThat(DescribedPredicate.not(resideInAPackage(INTERNAL))
                        .or(resideInAPackage(ROOT + ".internal.files")))
                .check(CLASSES);
    }

    @Test
    void engine_knowsNothingOfTheFrontDoorButItsImplementation() {
        classes()
                .that()
                .resideInAPackage(ROOT + ".internal.engine..")
                .and(DescribedPredicate.not(JavaClass.Predicates.simpleName("LitestreamEngine")))
                .should()
                .onlyDependOnClassesThat(DescribedPredicate.not(JavaClass.Predicates.belongToAnyOf(Litestream.class)))
                .check(CLASSES);
    }

    @Test
    void packages_formNoCycles() {
        slices().matching(ROOT + ".(**)").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void publicSignaturesOfTheApi_showNoInternalTypes() {
        codeUnits()
                .that(DescribedPredicate.describe("are public or protected", ArchitectureTest::isVisible))
                .and()
                .areDeclaredInClassesThat()
                .resideOutsideOfPackage(INTERNAL)
                .should(new ArchCondition<JavaCodeUnit>("show no internal types") {
                    @Override
                    public void check(JavaCodeUnit unit, ConditionEvents events) {
                        Stream.concat(unit.getRawParameterTypes().stream(), Stream.of(unit.getRawReturnType()))
                                .filter(resideInAPackage(INTERNAL))
                                .forEach(type -> events.add(SimpleConditionEvent.violated(
                                        unit, unit.getFullName() + " shows " + type.getName())));
                    }
                })
                .check(CLASSES);
    }

    private static boolean isVisible(JavaCodeUnit unit) {
        return isVisible(unit.getModifiers()) && isVisible(unit.getOwner().getModifiers());
    }

    private static boolean isVisible(Set<JavaModifier> modifiers) {
        return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
    }

    @Test
    void backends_areKnownToNobody() {
        Set<String> backends = CLASSES.stream()
                .map(JavaClass::getPackageName)
                .filter(name -> name.startsWith(ROOT + ".replica."))
                .collect(Collectors.toSet());
        org.assertj.core.api.Assertions.assertThat(backends).isNotEmpty();
        for (String backend : backends) {
            classes()
                    .that()
                    .resideInAPackage(backend)
                    .should()
                    .onlyHaveDependentClassesThat()
                    .resideInAPackage(backend)
                    .check(CLASSES);
        }
    }

    @Test
    void everyPackageWithClasses_declaresNullness() {
        Set<String> packages = CLASSES.stream().map(JavaClass::getPackageName).collect(Collectors.toSet());
        Set<String> declared = CLASSES.stream()
                .filter(type -> type.getSimpleName().equals("package-info"))
                .filter(type -> type.isAnnotatedWith("org.jspecify.annotations.NullMarked"))
                .map(JavaClass::getPackageName)
                .collect(Collectors.toSet());
        org.assertj.core.api.Assertions.assertThat(declared).isEqualTo(packages);
    }
}
