/// How far off the estimator of prompts is, by kind of text: bench/estimator/run.
///
///     estimator_bench < REQUESTS      a JSON line each: {"text", "tokens", "body"}, see corpus.mjs
///
/// The last third of each text's requests is only estimated. The others teach, in an order drawn anew in each
/// of 20 rounds, as answers' usage would.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <string>
#include <vector>

#include "api/request_scan.hpp"
#include "base/rng.hpp"
#include "quota/estimator.hpp"

using namespace spillway;

namespace {

constexpr std::uint64_t rounds = 20;

struct Sample {
    quota::RequestShape shape;
    std::uint64_t tokens = 0;  ///< true
};

struct Text {
    std::string name;
    std::vector<Sample> samples;

    [[nodiscard]] std::size_t teaching() const { return samples.size() * 2 / 3; }
};

struct Error {
    double relative = 0;  ///< sum of |estimate − true| / true
    double estimated = 0;
    double real = 0;
    std::uint64_t count = 0;

    void add(double estimate, double truth) {
        relative += std::abs(estimate - truth) / truth;
        estimated += estimate;
        real += truth;
        ++count;
    }
    [[nodiscard]] std::string shown() const {
        return fmt::format("{:.1f} | {:+.1f}", 100 * relative / static_cast<double>(count),
                           100 * (estimated / real - 1));
    }
};

std::vector<Text> read_all() {
    std::vector<Text> out;
    simdjson::dom::parser parser;
    api::RequestScanner scanner;
    for (std::string line; std::getline(std::cin, line);) {
        const simdjson::dom::element json = parser.parse(line);
        const std::string_view name = json["text"];
        const std::string_view body = json["body"];
        api::RequestScan scan;
        if (scanner.scan(body, scan) != api::ScanError::none) throw std::runtime_error("not a request");
        if (out.empty() || out.back().name != name) out.push_back({std::string(name), {}});
        out.back().samples.push_back({quota::shape_of(scan, body, ""), json["tokens"]});
    }
    return out;
}

void teach(quota::Estimator& estimator, const Sample& s) {
    api::Usage usage;
    usage.prompt = s.tokens;
    usage.completion = 100;
    estimator.used(s.shape, usage);
}

void test(const quota::Estimator& estimator, const Text& text, Error& error) {
    for (std::size_t i = text.teaching(); i < text.samples.size(); ++i)
        error.add(static_cast<double>(estimator.estimate(text.samples[i].shape).prompt),
                  static_cast<double>(text.samples[i].tokens));
}

std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
    std::vector<std::size_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = i;
    Rng rng(seed);
    for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
    return order;
}

/// A deployment that gets this text only.
void alone(const Text& text) {
    constexpr std::array<std::size_t, 3> lessons{0, 10, 100};
    std::array<Error, lessons.size()> errors;
    Error rule;  // four characters are a token
    double chars = 0;
    for (const Sample& s : text.samples) {
        rule.add(std::ceil(static_cast<double>(s.shape.chars) / 4), static_cast<double>(s.tokens));
        chars += static_cast<double>(s.shape.chars);
    }
    for (std::uint64_t round = 1; round <= rounds; ++round) {
        const auto order = shuffled(text.teaching(), round);
        quota::Estimator estimator;
        std::size_t learned = 0;
        for (std::size_t i = 0; i < lessons.size(); ++i) {
            for (; learned < std::min(lessons.at(i), order.size()); ++learned)
                teach(estimator, text.samples[order[learned]]);
            test(estimator, text, errors.at(i));
        }
    }
    fmt::print("| {} | {:.2f} | {} | {} | {} | {} |\n", text.name, rule.real / chars, rule.shown(),
               errors[0].shown(), errors[1].shown(), errors[2].shown());
}

/// A deployment that gets all texts in turn.
void together(const std::vector<Text>& texts) {
    std::vector<Error> errors(texts.size());
    for (std::uint64_t round = 1; round <= rounds; ++round) {
        quota::Estimator estimator;
        const auto order = shuffled(texts.front().teaching(), round);
        for (const std::size_t i : order)
            for (const Text& t : texts) teach(estimator, t.samples[i]);
        for (std::size_t i = 0; i < texts.size(); ++i) test(estimator, texts[i], errors[i]);
    }
    for (std::size_t i = 0; i < texts.size(); ++i)
        fmt::print("| {} | {} |\n", texts[i].name, errors[i].shown());
}

}  // namespace

int main() {
    const auto texts = read_all();
    if (texts.empty()) return 2;
    fmt::print(
        "| text | tokens per character | 4 characters = 1 token: error, % | bias, % | before learning: "
        "error | bias | after 10 requests: error | bias | after 100: error | bias |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for (const Text& t : texts) alone(t);
    fmt::print("\nAll in turn, {} of each:\n\n| text | error, % | bias, % |\n|---|---:|---:|\n",
               texts.front().teaching());
    together(texts);
}
