#include "telemetry/metrics.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>

#include "base/strings.hpp"
#include "base/utf8.hpp"

namespace spillway::telemetry {
namespace {

std::size_t shard_count(std::size_t wanted) {
    if (wanted == 0) wanted = std::max(1U, std::thread::hardware_concurrency());
    return std::bit_ceil(std::min<std::size_t>(wanted, 64));
}

bool is_name(std::string_view name, bool colons) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    return std::all_of(name.begin(), name.end(), [colons](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               (colons && c == ':');
    });
}

void append_label_value(std::string& out, std::string_view value) {
    for (std::size_t i = 0; i < value.size();) {
        const std::size_t special = std::min(value.find_first_of("\\\"\n", i), value.size());
        // A scraper refuses the whole answer for one bad byte.
        append_utf8(out, value.substr(i, special - i));
        if (special == value.size()) return;
        out += '\\';
        out += value[special] == '\n' ? 'n' : value[special];
        i = special + 1;
    }
}

void append_help(std::string& out, std::string_view help) {
    for (const char c : help) {
        if (c == '\\')
            out += "\\\\";
        else if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
}

std::string label_text(std::span<const Label> labels) {
    std::string out;
    for (const Label& label : labels) {
        if (!out.empty()) out += ',';
        out += label.name;
        out += "=\"";
        append_label_value(out, label.value);
        out += '"';
    }
    return out;
}

void append_value(std::string& out, double v) {
    if (std::isnan(v))
        out += "NaN";
    else if (std::isinf(v))
        out += v > 0 ? "+Inf" : "-Inf";
    else
        fmt::format_to(std::back_inserter(out), "{}", v);
}

template <class Int>
void append_value(std::string& out, Int v)
    requires std::is_integral_v<Int>
{
    const fmt::format_int text(v);
    out.append(text.data(), text.size());
}

template <class Value>
void append_sample(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels,
                   Value value) {
    out += name;
    out += suffix;
    if (!labels.empty()) {
        out += '{';
        out += labels;
        out += '}';
    }
    out += ' ';
    append_value(out, value);
    out += '\n';
}

void append_histogram(std::string& out, std::string_view name, std::string_view labels, const Histogram& h) {
    const Histogram::Snapshot s = h.snapshot();
    for (std::size_t i = 0; i < s.cumulative.size(); ++i) {
        std::string with_le(labels);
        if (!with_le.empty()) with_le += ',';
        with_le += "le=\"";
        append_value(with_le, i < h.bounds().size() ? h.bounds()[i] : HUGE_VAL);
        with_le += '"';
        append_sample(out, name, "_bucket", with_le, s.cumulative[i]);
    }
    append_sample(out, name, "_sum", labels, s.sum);
    append_sample(out, name, "_count", labels, s.count());
}

constexpr std::string_view type_name(MetricType type) {
    switch (type) {
        case MetricType::counter:
            return "counter";
        case MetricType::gauge:
            return "gauge";
        case MetricType::histogram:
            break;
    }
    return "histogram";
}

[[noreturn]] void refuse(std::string_view name, std::string_view why) {
    throw std::invalid_argument(fmt::format("metric {}: {}", name, why));
}

}  // namespace

namespace detail {

std::size_t current_shard() noexcept {
    return static_cast<std::size_t>(::sched_getcpu());
}

Sharded Cells::add(std::size_t shards) {
    constexpr std::size_t kPerLine = std::tuple_size_v<decltype(CellLine::cells)>;
    constexpr std::size_t kMostLines = 64;
    if (used_ == lines_ * kPerLine) {
        lines_ = std::clamp<std::size_t>(2 * lines_, 1, kMostLines);
        blocks_.push_back(std::make_unique<CellLine[]>(lines_ * shards));
        used_ = 0;
    }
    const std::size_t place = used_++;
    return {&blocks_.back()[place / kPerLine], place % kPerLine, lines_, shards};
}

}  // namespace detail

std::span<const double> default_time_buckets() noexcept {
    static constexpr std::array<double, 16> kBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                    0.5,   1,      2.5,   5,    10,    30,   60,  120};
    return kBounds;
}

Histogram::Histogram(std::span<const double> bounds, std::size_t shards)
    : bounds_(bounds), mask_(shards - 1) {
    constexpr std::size_t kPerLine = kCacheLine / sizeof(std::uint64_t);
    lines_per_shard_ = (bounds_.size() + 2 + kPerLine - 1) / kPerLine;
    lines_ = std::make_unique<Line[]>(lines_per_shard_ * shards);
}

void Histogram::observe(double v) noexcept {
    if (std::isnan(v)) return;
    const auto bucket =
        static_cast<std::size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), v) - bounds_.begin());
    const std::size_t shard = detail::current_shard() & mask_;
    slot(shard, bucket).fetch_add(1, std::memory_order_relaxed);
    std::atomic<std::uint64_t>& sum = slot(shard, bounds_.size() + 1);
    std::uint64_t old = sum.load(std::memory_order_relaxed);
    while (!sum.compare_exchange_weak(old, std::bit_cast<std::uint64_t>(std::bit_cast<double>(old) + v),
                                      std::memory_order_relaxed)) {
    }
}

Histogram::Snapshot Histogram::snapshot() const {
    Snapshot s;
    s.cumulative.resize(bounds_.size() + 1);
    for (std::size_t shard = 0; shard <= mask_; ++shard) {
        for (std::size_t i = 0; i <= bounds_.size(); ++i)
            s.cumulative[i] += slot(shard, i).load(std::memory_order_relaxed);
        s.sum += std::bit_cast<double>(slot(shard, bounds_.size() + 1).load(std::memory_order_relaxed));
    }
    for (std::size_t i = 1; i < s.cumulative.size(); ++i) s.cumulative[i] += s.cumulative[i - 1];
    return s;
}

void Emitter::operator()(std::span<const Label> labels, double value) {
    append_sample(out_, name_, "", label_text(labels), value);
}

struct Registry::Family {
    using Metric = std::variant<std::monostate, Counter, UpDown, Gauge, Histogram>;
    struct Child {
        template <class Make>
        Child(std::string text, Family& family, Make make) : labels(std::move(text)) {
            make(family, metric);
        }
        std::string labels;
        Metric metric;
    };
    struct Callback {
        std::uint64_t id;
        Collect collect;
    };

    MetricType type;
    std::string name;
    std::string help;
    std::vector<std::string> label_names;
    std::vector<double> bounds;  ///< of all its histograms
    detail::Cells cells;         ///< of all its Counters and UpDowns
    std::deque<Child> children;
    std::unordered_map<std::string, Child*, StringHash, std::equal_to<>> by_labels;
    std::vector<Callback> callbacks;
};

Registry::Registry(std::size_t shards) : shards_(shard_count(shards)) {}
Registry::~Registry() = default;

Registry::Family& Registry::family(MetricType type, std::string_view name, std::string_view help) {
    for (Family& f : families_) {
        if (f.name != name) continue;
        if (f.type != type || f.help != help) refuse(name, "registered before with another type or help");
        return f;
    }
    if (!is_name(name, true)) refuse(name, "not a metric name");
    Family& f = families_.emplace_back();
    f.type = type;
    f.name = name;
    append_utf8(f.help, help);
    return f;
}

template <class T, class Make>
T& Registry::child(MetricType type, std::string_view name, std::string_view help, Labels labels, Make make) {
    const std::lock_guard lock(mutex_);
    for (const Label& label : labels)
        if (!is_name(label.name, false) || label.name.starts_with("__") ||
            (type == MetricType::histogram && label.name == "le"))
            refuse(name, "bad label name");
    Family& f = family(type, name, help);
    if (f.children.empty()) {
        for (const Label& label : labels) f.label_names.emplace_back(label.name);
    } else if (!std::equal(labels.begin(), labels.end(), f.label_names.begin(), f.label_names.end(),
                           [](const Label& a, const std::string& b) { return a.name == b; })) {
        refuse(name, "registered before with other label names");
    }
    std::string text = label_text(labels);
    auto found = f.by_labels.find(text);
    if (found == f.by_labels.end() && f.children.size() >= kMaxChildren) {
        std::vector<Label> others(labels);
        for (Label& label : others) label.value = "_other";
        text = label_text(others);
        found = f.by_labels.find(text);
    }
    Family::Child* c = nullptr;
    if (found != f.by_labels.end()) {
        c = found->second;
    } else {
        c = &f.children.emplace_back(text, f, make);
        f.by_labels.emplace(std::move(text), c);
    }
    T* metric = std::get_if<T>(&c->metric);
    if (metric == nullptr) refuse(name, "registered before as another kind of metric");
    return *metric;
}

Counter& Registry::counter(std::string_view name, std::string_view help, Labels labels) {
    return child<Counter>(MetricType::counter, name, help, labels,
                          [this](Family& f, Family::Metric& m) { m.emplace<Counter>(f.cells.add(shards_)); });
}

UpDown& Registry::up_down(std::string_view name, std::string_view help, Labels labels) {
    return child<UpDown>(MetricType::gauge, name, help, labels,
                         [this](Family& f, Family::Metric& m) { m.emplace<UpDown>(f.cells.add(shards_)); });
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
    return child<Gauge>(MetricType::gauge, name, help, labels,
                        [](Family&, Family::Metric& m) { m.emplace<Gauge>(); });
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, Labels labels,
                               std::span<const double> bounds) {
    const bool ascending = std::adjacent_find(bounds.begin(), bounds.end(),
                                              [](double a, double b) { return !(a < b); }) == bounds.end();
    if (bounds.empty() || !ascending ||
        !std::all_of(bounds.begin(), bounds.end(), [](double b) { return std::isfinite(b); }))
        refuse(name, "buckets must be finite and ascending");
    Histogram& h =
        child<Histogram>(MetricType::histogram, name, help, labels, [&](Family& f, Family::Metric& m) {
            if (f.bounds.empty()) f.bounds.assign(bounds.begin(), bounds.end());
            m.emplace<Histogram>(f.bounds, shards_);
        });
    if (!std::equal(bounds.begin(), bounds.end(), h.bounds().begin(), h.bounds().end()))
        refuse(name, "registered before with other buckets");
    return h;
}

Registry::Registration Registry::callback(MetricType type, std::string_view name, std::string_view help,
                                          Collect collect) {
    const std::lock_guard lock(mutex_);
    if (type == MetricType::histogram) refuse(name, "a callback cannot be a histogram");
    const std::uint64_t id = next_id_++;
    family(type, name, help).callbacks.push_back({id, std::move(collect)});
    return Registration(this, id);
}

void Registry::remove(std::uint64_t id) noexcept {
    const std::lock_guard lock(mutex_);
    for (Family& f : families_) std::erase_if(f.callbacks, [id](const auto& c) { return c.id == id; });
}

Registry::Registration::Registration(Registration&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)), id_(other.id_) {}

Registry::Registration& Registry::Registration::operator=(Registration&& other) noexcept {
    std::swap(registry_, other.registry_);
    std::swap(id_, other.id_);
    return *this;
}

Registry::Registration::~Registration() {
    if (registry_ != nullptr) registry_->remove(id_);
}

std::string Registry::render() const {
    const std::lock_guard lock(mutex_);
    std::string out;
    for (const Family& f : families_) {
        if (f.children.empty() && f.callbacks.empty()) continue;
        out += "# HELP ";
        out += f.name;
        out += ' ';
        append_help(out, f.help);
        out += "\n# TYPE ";
        out += f.name;
        out += ' ';
        out += type_name(f.type);
        out += '\n';
        for (const Family::Child& c : f.children) {
            if (const auto* h = std::get_if<Histogram>(&c.metric))
                append_histogram(out, f.name, c.labels, *h);
            else if (const auto* n = std::get_if<Counter>(&c.metric))
                append_sample(out, f.name, "", c.labels, n->value());
            else if (const auto* u = std::get_if<UpDown>(&c.metric))
                append_sample(out, f.name, "", c.labels, u->value());
            else if (const auto* g = std::get_if<Gauge>(&c.metric))
                append_sample(out, f.name, "", c.labels, g->value());
        }
        Emitter emit(out, f.name);
        for (const Family::Callback& c : f.callbacks) c.collect(emit);
    }
    return out;
}

}  // namespace spillway::telemetry
