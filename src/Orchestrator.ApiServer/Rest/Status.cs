using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Schema;

namespace Orchestrator.ApiServer.Rest;

/// <summary>One of the reasons in a Status' details.</summary>
internal sealed record StatusCause(string Reason, string Message, string? Field = null);

/// <summary>
/// Kubernetes' answer to whatever is not an object: every failure, and some successes (meta/v1 Status). Reasons and texts are
/// Kubernetes' own: clients branch on the first, people search the web for the second.
/// </summary>
internal sealed record Status(int Code, string Reason, string Message)
{
    public string? Name { get; init; }

    public string? Group { get; init; }

    /// <summary>The kind for a validation failure, the plural for all else: so it is in Kubernetes.</summary>
    public string? Kind { get; init; }

    public string? Uid { get; init; }

    public int? RetryAfterSeconds { get; init; }

    public IReadOnlyList<StatusCause> Causes { get; init; } = [];

    public bool Succeeded => Code < 400;

    public static Status Deleted(ResourceDefinition resource, string name, string uid) =>
        About(resource, name, new Status(StatusCodes.Status200OK, "", "")) with { Uid = uid };

    public static Status NotFound(ResourceDefinition resource, string name) => About(
        resource, name, new Status(StatusCodes.Status404NotFound, "NotFound", $"{resource.GroupResource} \"{name}\" not found"));

    public static Status NamespaceNotFound(string name) =>
        new(StatusCodes.Status404NotFound, "NotFound", $"namespaces \"{name}\" not found") { Name = name, Kind = "namespaces" };

    public static Status UnknownPath() =>
        new(StatusCodes.Status404NotFound, "NotFound", "the server could not find the requested resource");

    public static Status AlreadyExists(ResourceDefinition resource, string name) => About(
        resource, name, new Status(StatusCodes.Status409Conflict, "AlreadyExists", $"{resource.GroupResource} \"{name}\" already exists"));

    public static Status Conflict(ResourceDefinition resource, string name, string why) => About(
        resource,
        name,
        new Status(
            StatusCodes.Status409Conflict, "Conflict", $"Operation cannot be fulfilled on {resource.GroupResource} \"{name}\": {why}"));

    public static Status Modified(ResourceDefinition resource, string name) =>
        Conflict(resource, name, "the object has been modified; please apply your changes to the latest version and try again");

    public static Status Invalid(ResourceDefinition resource, string name, IReadOnlyCollection<FieldError> errors) => new(
        StatusCodes.Status422UnprocessableEntity,
        "Invalid",
        $"{(resource.Group.Length == 0 ? resource.Kind : $"{resource.Kind}.{resource.Group}")} \"{name}\" is invalid: {Join(errors)}")
    {
        Name = name,
        Group = resource.Group,
        Kind = resource.Kind,
        Causes = [.. errors.Select(error => new StatusCause(error.Reason, error.Message, error.Field))],
    };

    /// <summary>Of request options rather than of an object.</summary>
    public static Status InvalidOptions(string kind, string field, string message) => new(
        StatusCodes.Status422UnprocessableEntity, "Invalid", $"{kind}.meta.k8s.io \"\" is invalid: {field}: {message}")
    {
        Group = "meta.k8s.io",
        Kind = kind,
        Causes = [new StatusCause("FieldValueForbidden", message, field)],
    };

    public static Status BadRequest(string message) => new(StatusCodes.Status400BadRequest, "BadRequest", message);

    public static Status Unauthorized() => new(StatusCodes.Status401Unauthorized, "Unauthorized", "Unauthorized");

    public static Status Forbidden(ResourceDefinition? resource, string name, string why)
    {
        var subject = resource is null ? "" : name.Length == 0 ? $"{resource.GroupResource} is " : $"{resource.GroupResource} \"{name}\" is ";
        var status = new Status(StatusCodes.Status403Forbidden, "Forbidden", $"{subject}forbidden: {why}");
        return resource is null ? status : About(resource, name, status);
    }

    public static Status NamespaceTerminating(ResourceDefinition resource, string name, string @namespace) =>
        Forbidden(
            resource, name, $"unable to create new content in namespace {@namespace} because it is being terminated") with
        {
            Causes = [new StatusCause("NamespaceTerminating", $"namespace {@namespace} is being terminated", "metadata.namespace")],
        };

    public static Status MethodNotAllowed() => new(
        StatusCodes.Status405MethodNotAllowed, "MethodNotAllowed", "the server does not allow this method on the requested resource");

    public static Status NotAcceptable(params IEnumerable<string> supported) => new(
        StatusCodes.Status406NotAcceptable,
        "NotAcceptable",
        $"only the following media types are accepted: {string.Join(", ", supported)}");

    public static Status UnsupportedMediaType(string message) =>
        new(StatusCodes.Status415UnsupportedMediaType, "UnsupportedMediaType", message);

    public static Status TooLarge(string message) => new(StatusCodes.Status413PayloadTooLarge, "RequestEntityTooLarge", message);

    public static Status Expired(string message) => new(StatusCodes.Status410Gone, "Expired", message);

    public static Status TooLargeRevision(long asked, long current) => new(
        StatusCodes.Status504GatewayTimeout, "Timeout", Invariant($"Timeout: Too large resource version: {asked}, current: {current}"))
    {
        Causes = [new StatusCause("ResourceVersionTooLarge", "Too large resource version")],
        RetryAfterSeconds = 1,
    };

    public static Status InternalError(string message) =>
        new(StatusCodes.Status500InternalServerError, "InternalError", $"Internal error occurred: {message}")
        {
            Causes = [new StatusCause("", message)],
        };

    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = Succeeded ? "Success" : "Failure",
        };
        Add(json, "message", Message);
        Add(json, "reason", Reason);
        var details = new JsonObject();
        Add(details, "name", Name);
        Add(details, "group", Group);
        Add(details, "kind", Kind);
        Add(details, "uid", Uid);
        if (Causes.Count > 0)
        {
            details["causes"] = new JsonArray([.. Causes.Select(ToJson)]);
        }

        if (RetryAfterSeconds is { } seconds)
        {
            details["retryAfterSeconds"] = seconds;
        }

        if (details.Count > 0)
        {
            json["details"] = details;
        }

        if (!Succeeded)
        {
            json["code"] = Code;
        }

        return json;
    }

    private static JsonObject ToJson(StatusCause cause)
    {
        var json = new JsonObject();
        Add(json, "reason", cause.Reason);
        Add(json, "message", cause.Message);
        Add(json, "field", cause.Field);
        return json;
    }

    private static void Add(JsonObject json, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            json[name] = value;
        }
    }

    private static Status About(ResourceDefinition resource, string name, Status status) =>
        status with { Name = name, Group = resource.Group, Kind = resource.Plural };

    private static string Join(IReadOnlyCollection<FieldError> errors) =>
        errors.Count == 1 ? errors.First().ToString() : $"[{string.Join(", ", errors)}]";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
