using System.Globalization;
using Microsoft.AspNetCore.Http;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Selectors;

namespace Orchestrator.ApiServer.Rest;

/// <summary>Reading the query parameters of the API, with the errors that Kubernetes has for bad ones.</summary>
internal static class RequestQuery
{
    public static Outcome<ObjectSelector> Selector(HttpRequest request, ServedResource resource, RequestTarget target)
    {
        if (!LabelSelector.TryParse(request.Query["labelSelector"], out var labels, out var error)
            || !FieldSelector.TryParse(request.Query["fieldSelector"], out var fields, out error))
        {
            return Status.BadRequest(error);
        }

        if (fields.Unsupported(ObjectSelector.FieldsOf(resource)) is { } unsupported)
        {
            return Status.BadRequest(unsupported);
        }

        var name = target.Name.Length > 0 ? target.Name : fields.ExactValue("metadata.name");
        var @namespace = target.Namespace.Length > 0 ? target.Namespace : fields.ExactValue("metadata.namespace");
        return new ObjectSelector(@namespace, name, labels, fields);
    }

    /// <param name="kind">CreateOptions, UpdateOptions, PatchOptions or DeleteOptions: for the message.</param>
    /// <param name="faults">Of the body, such as duplicate fields.</param>
    public static Outcome<WriteOptions> Write(HttpRequest request, string kind, IReadOnlyList<string> faults)
    {
        var dryRun = request.Query["dryRun"];
        if (CheckDryRun(kind, dryRun) is { } unsupported)
        {
            return unsupported;
        }

        FieldValidation? validation = ((string?)request.Query["fieldValidation"]) switch
        {
            null or "" or "Warn" => FieldValidation.Warn,
            "Ignore" => FieldValidation.Ignore,
            "Strict" => FieldValidation.Strict,
            _ => null,
        };
        return validation is null
            ? Status.InvalidOptions(
                kind,
                "fieldValidation",
                $"Unsupported value: \"{request.Query["fieldValidation"]}\": supported values: \"Ignore\", \"Strict\", \"Warn\"")
            : new WriteOptions { DryRun = dryRun.Contains("All"), FieldValidation = validation.Value, BodyFaults = faults };
    }

    /// <inheritdoc cref="Write"/>
    public static Status? CheckDryRun(string kind, IReadOnlyList<string?> values) => values.All(value => value is "All" or "")
        ? null
        : Status.InvalidOptions(kind, "dryRun", $"Unsupported value: [\"{string.Join(',', values)}\"]: supported values: \"All\"");

    /// <summary>A resourceVersion; -1 when it is none of ours.</summary>
    public static long Revision(string? text) =>
        string.IsNullOrEmpty(text) ? 0 : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var revision) ? revision : -1;

    public static Status BadRevision(string? text) => Status.BadRequest($"invalid resource version: \"{text}\"");

    /// <summary>Null when absent or not a positive number.</summary>
    public static long? Number(HttpRequest request, string name) =>
        long.TryParse(request.Query[name], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;

    public static bool Flag(HttpRequest request, string name) => RequestTarget.IsTrue(request.Query[name]);
}
