#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/stack_plan.hpp"
#include "app/stack_services.hpp"

namespace spillway::app::stack {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Kind = Step::Kind;

std::vector<ServiceSpec> specs(const Values& values, const std::string& build = "build-1") {
    std::vector<ServiceSpec> out;
    Values all = values;
    all.emplace("SPILLWAY_API_KEY", "the-first-key");
    for (const Service& s : services_for(settings_from(all).value(), {"/state", build, "resource-key"}))
        out.push_back(s.spec);
    return out;
}

Observed up(const ServiceSpec& spec) {
    return {spec, true, true};
}

std::vector<Step> steps_from(const std::vector<ServiceSpec>& before, const std::vector<ServiceSpec>& wanted) {
    std::vector<Step> out;
    for (std::size_t i = 0; i < wanted.size(); ++i) out.push_back(plan_step(wanted[i], up(before[i])));
    return out;
}

TEST(Plan, NothingChangedIsNothingToDo) {
    for (const Step& step : steps_from(specs({}), specs({}))) {
        EXPECT_EQ(step.kind, Kind::keep);
        EXPECT_THAT(step.reasons, IsEmpty());
    }
}

TEST(Plan, StartsWhatWasNeverThere) {
    EXPECT_EQ(plan_step(specs({})[0], {}), (Step{Kind::start, {}}));
}

TEST(Plan, StartsWhatDiedAndSaysSo) {
    const auto wanted = specs({});
    const Step step = plan_step(wanted[1], {wanted[1], false, false});
    EXPECT_EQ(step.kind, Kind::start);
    EXPECT_THAT(step.reasons, ElementsAre("it ended unexpectedly"));
}

TEST(Plan, RestartsWhatDoesNotAnswer) {
    const auto wanted = specs({});
    const Step step = plan_step(wanted[0], {wanted[0], true, false});
    EXPECT_EQ(step.kind, Kind::restart);
    EXPECT_THAT(step.reasons, ElementsAre("it does not answer"));
}

TEST(Plan, RestartsWhatIsNotKnown) {
    EXPECT_EQ(plan_step(specs({})[0], {std::nullopt, true, true}).kind, Kind::restart);
}

TEST(Plan, ACapacityIsTheEmulatorsAndTheGateways) {
    const auto steps = steps_from(specs({}), specs({{"OPENAI_CAPACITY", "50"}}));
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(steps[i].kind, Kind::restart);
        EXPECT_THAT(steps[i].reasons, ElementsAre("OPENAI_CAPACITY 30 -> 50"));
    }
    EXPECT_EQ(steps[2].kind, Kind::keep);
}

TEST(Plan, AGatewaysPortLeavesTheEmulatorAlone) {
    const auto steps = steps_from(specs({}), specs({{"SPILLWAY_PORT", "8090"}}));
    EXPECT_EQ(steps[0].kind, Kind::keep);
    EXPECT_EQ(steps[1].kind, Kind::restart);
    EXPECT_THAT(steps[1].reasons, ElementsAre("SPILLWAY_PORT 8080 -> 8090"));
    EXPECT_THAT(steps[2].reasons, ElementsAre("SPILLWAY_PORT 8080 -> 8090"));  // the chat app speaks to it
}

TEST(Plan, TheEmulatorsAdminPortLeavesTheGatewayAlone) {
    const auto steps = steps_from(specs({}), specs({{"SPILLWAY_EMULATOR_ADMIN_PORT", "9200"}}));
    EXPECT_EQ(steps[0].kind, Kind::restart);
    EXPECT_EQ(steps[1].kind, Kind::keep);
}

TEST(Plan, AKeyIsNeverInTheReasons) {
    const auto steps = steps_from(specs({}), specs({{"SPILLWAY_API_KEY", "the-second-key"}}));
    EXPECT_EQ(steps[0].kind, Kind::keep);
    EXPECT_THAT(steps[1].reasons, ElementsAre("SPILLWAY_API_KEY changed"));
    EXPECT_THAT(steps[2].reasons, ElementsAre("SPILLWAY_API_KEY changed"));
}

TEST(Plan, ANewBuildIsAllServices) {
    for (const Step& step : steps_from(specs({}), specs({}, "build-2")))
        EXPECT_THAT(step.reasons, ElementsAre("the program was rebuilt"));
}

TEST(Plan, AnotherConfigurationOfTheSameSettingsIsARestart) {
    auto before = specs({});
    before[0].config_digest = "of another version";
    EXPECT_THAT(plan_step(specs({})[0], up(before[0])).reasons, ElementsAre("the configuration changed"));
}

std::vector<std::uint16_t> checked(const std::vector<ServiceSpec>& wanted,
                                   const std::vector<Observed>& observed) {
    std::vector<Step> steps;
    for (std::size_t i = 0; i < wanted.size(); ++i) steps.push_back(plan_step(wanted[i], observed[i]));
    std::vector<std::uint16_t> out;
    for (const NamedPort& port : ports_to_check(wanted, observed, steps)) out.push_back(port.number);
    return out;
}

TEST(Plan, AFirstStartNeedsAllPorts) {
    EXPECT_THAT(checked(specs({}), {{}, {}, {}}), ElementsAre(9100, 9101, 9102, 9103, 8080, 8081, 8082));
}

TEST(Plan, ARestartNeedsOnlyNewPorts) {
    const auto before = specs({});
    EXPECT_THAT(checked(specs({{"OPENAI_CAPACITY", "50"}}), {up(before[0]), up(before[1]), up(before[2])}),
                IsEmpty());
    EXPECT_THAT(checked(specs({{"SPILLWAY_EMULATOR_BASE_PORT", "9102"}}),
                        {up(before[0]), up(before[1]), up(before[2])}),
                ElementsAre(9104));
}

TEST(Plan, PortsMayBeSwapped) {
    const auto before = specs({});
    EXPECT_THAT(checked(specs({{"SPILLWAY_PORT", "8081"}, {"SPILLWAY_ADMIN_PORT", "8080"}}),
                        {up(before[0]), up(before[1]), up(before[2])}),
                IsEmpty());
}

TEST(Plan, TheOldPortsOfADeadServiceAreCheckedAgain) {
    const auto wanted = specs({});
    EXPECT_THAT(checked(wanted, {up(wanted[0]), {wanted[1], false, false}, up(wanted[2])}),
                ElementsAre(8080, 8081));
}

TEST(Plan, ARecordComesBackAsItWas) {
    for (const ServiceSpec& spec : specs({})) EXPECT_EQ(spec_from(to_values(spec)).value(), spec);
}

TEST(Plan, ABadRecordIsAnError) {
    EXPECT_FALSE(spec_from({}));
    Values values = to_values(specs({})[0]);
    values["RECORD_PORT_00"] = "x";
    EXPECT_FALSE(spec_from(values));
}

TEST(Plan, ARecordHoldsNoKey) {
    for (const ServiceSpec& spec : specs({})) {
        const std::string text = format_values(to_values(spec));
        EXPECT_THAT(text, Not(HasSubstr("the-first-key")));
        EXPECT_THAT(text, Not(HasSubstr("resource-key")));
    }
}

}  // namespace
}  // namespace spillway::app::stack
