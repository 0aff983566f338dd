#include "emulator/call.hpp"

#include <algorithm>
#include <limits>

#include "emulator/arguments.hpp"
#include "emulator/call_impl.hpp"

namespace spillway::emulator {

namespace {
constexpr std::size_t most_bytes_at_once = 64 * 1024;
constexpr std::string_view broken =
    "The server had an error while processing your request. Sorry about that!";
}  // namespace

std::string Call::head(HeadFacts facts) {
    facts.date = resource_.date();
    facts.apim_request_id = apim_id_;
    facts.client_request_id = x_.request().fields.get("x-ms-client-request-id");
    facts.region = resource_.config_.region;
    if (fault_ && !fault_->headers.empty()) facts.replaced = &fault_->headers;
    return azure_head(facts);
}

Call::Next Call::reply(unsigned status, std::string body) {
    status_ = status;
    body_ = std::move(body);
    return Next::reply;
}

Call::Next Call::decide() {
    std::string deployment = target_.deployment;
    std::optional<Error> unreadable;
    const bool creates = target_.kind == Target::Kind::create && x_.request().method == "POST";
    if (creates) {
        auto read = read_request(target_.operation, x_.body());
        if (read)
            request_ = std::move(*read);
        else
            unreadable = read.error();
        if (deployment.empty()) deployment = request_.model;
    }
    fault_ = resource_.faults_.meet(deployment, request_.stream, x_.body(), mono_now(), resource_.rng_);
    if (fault_is(FaultKind::refuse) || fault_is(FaultKind::close)) return Next::close;
    if (fault_is(FaultKind::hang)) return Next::hang;
    if (fault_is(FaultKind::status)) return fault_status();

    if (auto no = resource_.refused(x_.request())) return refuse(std::move(*no));
    if (target_.kind == Target::Kind::unknown || (!target_.v1 && !target_.has_version()))
        return refuse(no_resource());
    if (target_.kind == Target::Kind::models) return list_models();
    if (target_.kind == Target::Kind::response) return stored_response();
    if (!creates) return refuse(wrong_method());
    // Without a readable body there is no model to look for.
    if (unreadable && deployment.empty()) return refuse(bad_request(unreadable->message));
    deployment_ = resource_.find(deployment);
    if (deployment_ == nullptr) return refuse(no_deployment());
    if (unreadable) return refuse(bad_request(unreadable->message));
    if (!deployment_->model.can(target_.operation))
        return refuse(wrong_model(target_.operation, deployment_->config.model));
    if (auto no = strict_fault()) return refuse(std::move(*no));
    return admit();
}

std::optional<ErrorAnswer> Call::strict_fault() const {
    if (!resource_.config_.strict) return std::nullopt;
    const std::string& model = deployment_->config.model;
    if (!target_.v1 && !is_released(target_.api_version)) return no_resource();
    const bool talks = target_.operation == Operation::chat || target_.operation == Operation::responses;
    if (target_.operation == Operation::completions ? !completes(model) : talks && !chats(model))
        return wrong_model(target_.operation, model);
    if (target_.operation == Operation::responses && !target_.v1 && !has_responses(target_.api_version))
        return early_for_responses();
    return argument_fault(request_, model);
}

Call::Next Call::fault_status() {
    if (fault_->retry_after) facts_.retry_after = from_seconds(*fault_->retry_after);
    if (fault_->body) return reply(fault_->status, *fault_->body);
    if (!fault_->error.empty()) return reply(fault_->status, R"({"error":)" + fault_->error + '}');
    if (!fault_->retry_after) return refuse(status_error(fault_->status, fault_->message));
    if (fault_->status == 429 && fault_->message.empty())
        return refuse(throttled(target_.operation, target_.api_version, Limit::tokens,
                                whole_seconds(*facts_.retry_after)));
    return refuse(status_error(fault_->status, fault_->message));
}

Call::Next Call::list_models() {
    if (x_.request().method != "GET") return refuse(wrong_method());
    std::string list = resource_.models_json(target_.id);
    return list.empty() ? refuse(no_deployment()) : reply(200, std::move(list));
}

Call::Next Call::stored_response() {
    const auto found = resource_.responses_.find(target_.id);
    if (found == resource_.responses_.end()) return refuse(no_response(target_.id, false));
    if (x_.request().method == "GET") return reply(200, found->second);
    if (x_.request().method != "DELETE") return refuse(wrong_method());
    resource_.responses_.erase(found);
    return reply(200, "{\"id\":\"" + target_.id + "\",\"object\":\"response\",\"deleted\":true}");
}

Call::Next Call::admit() {
    const std::string& previous = request_.previous_response_id;
    if (!previous.empty() && !resource_.responses_.contains(previous))
        return refuse(no_response(previous, true));
    for (const std::string& seal : request_.seals)
        if (!opens(seal, resource_.name())) return refuse(sealed_elsewhere(seal));
    const Mono now = mono_now();
    const bool embeds = target_.operation == Operation::embeddings;
    request_.cached_tokens = resource_.prefixes_.use(request_.prefixes, deployment_->number, now);
    quota_ = deployment_->quota.admit({.prompt_chars = request_.prompt_chars,
                                       .prompt_tokens = request_.prompt_tokens,
                                       .cached_tokens = request_.cached_tokens,
                                       .max_tokens = request_.max_tokens,
                                       .best_of = request_.best_of,
                                       .has_output = !embeds},
                                      now);
    facts_.quota = &quota_;
    if (!quota_.admitted()) {
        facts_.retry_after = quota_.retry_after;
        return refuse(throttled(target_.operation, target_.api_version, quota_.limit,
                                whole_seconds(quota_.retry_after)));
    }
    request_id_ = random_uuid(rng_);
    facts_.request_id = request_id_;
    facts_.session = deployment_->session;
    if (request_.filtered) return refuse(prompt_filtered());
    counters_.tokens_in += request_.prompt_tokens;
    counters_.tokens_cached += request_.cached_tokens;
    return embeds ? Next::embed : Next::generate;
}

Task<void> Call::run() {
    const Next next = decide();
    const bool there = co_await keep_silent(FaultPhase::head);
    if (!there) co_return;
    switch (next) {
        case Next::reply:
            co_await send_reply();
            break;
        case Next::close:
            end(counters_.errors);
            x_.abort();
            break;
        case Next::hang:
            co_await hang();
            break;
        case Next::embed:
            co_await embed();
            break;
        case Next::generate:
            co_await generate();
            break;
    }
    if (!quota_.admitted() || deployment_ == nullptr) co_return;
    const std::uint64_t output = sent_tokens_ * request_.choices;
    deployment_->quota.finish(quota_.charged, request_.prompt_tokens - request_.cached_tokens + output,
                              mono_now());
    counters_.tokens_out += output;
}

Task<bool> Call::sleep_until(Mono when) {
    if (x_.client_gone()) co_return false;
    if (mono_now() >= when) co_return true;
    const bool rang = co_await timer_.sleep_until(when);
    co_return rang && !x_.client_gone();
}

/// As long as its fault wants at this phase; false: the client left.
Task<bool> Call::keep_silent(FaultPhase phase) {
    if (!fault_is(FaultKind::silence) || fault_->phase != phase) co_return true;
    const Mono end = mono_now() + from_seconds(fault_->silent);
    const bool comments = fault_->comments > 0 && phase != FaultPhase::head;
    bool there = true;
    while (there && comments && mono_now() + from_seconds(fault_->comments) < end) {
        there = co_await sleep_until(mono_now() + from_seconds(fault_->comments));
        body_ = ": waiting\n\n";
        if (there) there = co_await send_piece();
    }
    if (there) there = co_await sleep_until(end);
    co_return there;
}

Task<void> Call::hang() {
    bool there = true;
    while (there) there = co_await sleep_until(mono_now() + std::chrono::hours(1));
}

std::uint64_t& Call::counter_of(unsigned status) noexcept {
    if (status < 300) return counters_.served;
    return status == 429 ? counters_.throttled : counters_.errors;
}

Task<void> Call::send_reply() {
    start(body_.size());
    const std::string_view body = body_;
    const bool sent = co_await x_.finish(body);
    if (sent) end(counter_of(status_));
}

Task<void> Call::embed() {
    const Pace pace = make_pace();
    body_ = embeddings_body(request_, deployment_->model.name, deployment_->model.dimensions);
    const bool there = co_await sleep_until(began_ + pace.first());
    if (there) co_await send_reply();
}

Pace Call::make_pace() {
    config::LatencyConfig latency = deployment_->config.latency;
    if (fault_is(FaultKind::slow)) {
        latency.ttft = from_seconds(fault_->ttft);
        latency.ttft_jitter = {};
        latency.tokens_per_second = fault_->tokens_per_second;
    }
    return {latency, Rng(rng_())};
}

AnswerMeta Call::make_meta(bool tool) {
    AnswerMeta meta;
    if (target_.operation == Operation::responses) {
        meta.id = random_id("resp_", 48, rng_);
        meta.item_id = random_id(tool ? "fc_" : "msg_", 48, rng_);
        if (request_.wants_seal) {
            meta.reasoning_id = random_id("rs_", 48, rng_);
            meta.seal = make_seal(resource_.name(), rng_);
        }
    } else {
        meta.id = random_id(target_.operation == Operation::chat ? "chatcmpl-" : "cmpl-", 29, rng_);
    }
    if (tool) meta.call_id = random_id("call_", 24, rng_);
    meta.model = deployment_->model.name;
    meta.created = std::chrono::duration_cast<std::chrono::seconds>(wall_now().time_since_epoch()).count();
    return meta;
}

std::unique_ptr<AnswerWriter> Call::write_answer() {
    Completion completion = complete(request_);
    answer_tokens_ = completion.tokens;
    AnswerMeta meta = make_meta(completion.is_tool());
    meta.usage = {request_.prompt_tokens, request_.cached_tokens, answer_tokens_ * request_.choices};
    const std::string id = meta.id;
    auto writer = make_writer(request_, std::move(completion), std::move(meta));
    if (target_.operation == Operation::responses && request_.store)
        resource_.store_response(id, writer->whole());
    return writer;
}

Task<void> Call::generate() {
    const auto writer = write_answer();
    if (request_.stream)
        co_await send_stream(*writer);
    else
        co_await send_whole(*writer);
}

Task<void> Call::send_whole(const AnswerWriter& writer) {
    body_ = writer.whole();
    Pace pace = make_pace();
    for (std::size_t i = 1; i < writer.tokens(); ++i) pace.advance();
    const bool there = co_await sleep_until(began_ + pace.due());
    if (!there) co_return;
    sent_tokens_ = answer_tokens_;
    if (!fault_is(FaultKind::cut)) {
        co_await send_reply();
        co_return;
    }
    start(body_.size());
    const std::string_view half = std::string_view(body_).substr(0, body_.size() / 2);
    const bool sent = co_await x_.write(half);
    if (sent) end(counters_.errors);
    x_.abort();
}

void Call::write_error(AnswerWriter& writer) {
    const std::string_view message = fault_->message.empty() ? broken : std::string_view(fault_->message);
    writer.error(message, "server_error", body_);
}

/// Ends a stream as its fault says.
Task<void> Call::break_stream(AnswerWriter& writer) {
    end(counters_.errors);
    if (fault_is(FaultKind::cut)) {
        x_.abort();
        co_return;
    }
    body_.clear();
    if (fault_->body)
        body_ = *fault_->body;
    else if (fault_->error.empty())
        write_error(writer);
    else if (target_.operation == Operation::responses)
        body_ = R"(event: response.failed
data: {"type":"response.failed","response":{"status":"failed","error":)" +
                fault_->error + "}}\n\n";
    else
        body_ = R"(data: {"error":)" + fault_->error + "}\n\n";
    const std::string_view event = body_;
    (void)co_await x_.finish(event);
}

/// Appends the pieces that are due by now.
void Call::write_due(AnswerWriter& writer, Pace& pace, std::size_t& next, std::size_t last) {
    const Duration passed = mono_now() - began_;
    while (next < last && pace.due() <= passed && body_.size() < most_bytes_at_once) {
        writer.token(next++, body_);
        pace.advance();
    }
}

Task<bool> Call::send_piece() {
    const std::string_view piece = body_;
    const bool sent = co_await x_.write(piece);
    body_.clear();
    co_return sent;
}

Task<void> Call::send_stream(AnswerWriter& writer) {
    const bool breaks = fault_is(FaultKind::cut) || fault_is(FaultKind::stream_error);
    const std::size_t all = writer.tokens();
    const std::size_t last = breaks ? std::min(fault_->after_chunks, all) : all;
    // All but what comes before and after a silence.
    const std::size_t pause =
        fault_is(FaultKind::silence)
            ? std::clamp<std::size_t>(fault_->after_chunks, 1, std::max<std::size_t>(all, 2) - 1)
            : all;
    Pace pace = make_pace();
    facts_.content_type = "text/event-stream; charset=utf-8";
    start(std::nullopt);
    writer.preamble(body_);
    // The prompt's filter is through before the model has its first token.
    bool there = co_await sleep_until(began_ + pace.first() / 2);
    if (there) there = co_await send_piece();
    if (there) there = co_await keep_silent(FaultPhase::first_token);
    std::size_t next = 0;
    bool was_silent = !fault_is(FaultKind::silence) || fault_->phase != FaultPhase::output || all < 2;
    while (there && next < last) {
        there = co_await sleep_until(began_ + pace.due());
        if (!there) break;
        write_due(writer, pace, next, was_silent ? last : std::min(last, pause));
        if (next == all && !breaks) break;  // the end goes out with it
        there = co_await send_piece();
        if (there) sent_tokens_ = next;
        if (there && !was_silent && next == pause) {
            was_silent = true;
            there = co_await keep_silent(FaultPhase::output);
        }
    }
    if (!there) co_return;
    if (breaks) {
        co_await break_stream(writer);
        co_return;
    }
    writer.end(body_);
    const std::string_view rest = body_;
    const bool sent = co_await x_.finish(rest);
    if (!sent) co_return;
    sent_tokens_ = answer_tokens_;
    end(counters_.served);
}

Task<void> serve_call(std::shared_ptr<Resource> resource, http::Exchange& exchange) {
    Call call(*resource, exchange);
    co_await call.run();
}

}  // namespace spillway::emulator
