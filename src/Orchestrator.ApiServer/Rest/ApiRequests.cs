using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.ApiServer.Auth;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Rest;

/// <summary>Where every request comes in: who is it, what is it about, may they, and to whom does it go.</summary>
internal sealed partial class ApiRequests(
    ObjectStore store,
    ResourceRegistry registry,
    ServedResources resources,
    Authenticator authenticator,
    ResourceRequests objects,
    DocumentRequests documents,
    TimeProvider time,
    ILogger logger)
{
    private static readonly string[] StatusVerbs = ["get", "update", "patch"];

    public async Task AnswerAsync(HttpContext context)
    {
        var started = time.GetTimestamp();
        var target = RequestTarget.Find(registry, context.Request);
        try
        {
            await RouteAsync(context, target);
        }
        catch (Exception ended) when (context.RequestAborted.IsCancellationRequested
            && ended is OperationCanceledException or IOException or BadHttpRequestException)
        {
            // The client has gone; nobody is there to be answered.
        }
        catch (BadHttpRequestException malformed)
        {
            await FailAsync(context, new Status(malformed.StatusCode, "BadRequest", malformed.Message));
        }
        catch (Exception failure)
        {
            Log.Failed(logger, failure, context.Request.Method, context.Request.Path);
            await FailAsync(context, Status.InternalError(failure is StorageException ? failure.Message : "see the server's log"));
        }
        finally
        {
            Count(context, target, time.GetElapsedTime(started));
        }
    }

    private async Task RouteAsync(HttpContext context, RequestTarget? target)
    {
        if (authenticator.Authenticate(context) is not { } identity)
        {
            await Answer.StatusAsync(context, Status.Unauthorized());
            return;
        }

        var path = context.Request.Path.Value!;
        if (IsHealth(path))
        {
            // Reads the store: a server that cannot do that is not ready, and a restart may help it.
            store.CurrentRevision();
            await Answer.TextAsync(context, StatusCodes.Status200OK, "ok");
            return;
        }

        if (identity.IsAnonymous && path != "/version")
        {
            await Answer.StatusAsync(context, Status.Unauthorized());
            return;
        }

        if (target is not null)
        {
            await RouteAsync(context, target, identity);
        }
        else if (context.Request.Method is not ("GET" or "HEAD") || !await documents.TryAnswerAsync(context))
        {
            await Answer.StatusAsync(context, Status.UnknownPath());
        }
    }

    private async Task RouteAsync(HttpContext context, RequestTarget target, Identity identity)
    {
        var definition = target.Resource;
        var question = new AccessQuestion(target.Verb, definition.Group, definition.Plural, target.Subresource, target.Namespace);
        if (!Authorizer.Allows(identity, question))
        {
            await Answer.StatusAsync(context, Status.Forbidden(definition, target.Name, Authorizer.Explain(identity, question)));
            return;
        }

        switch (target.Subresource)
        {
            case "" when IsServed(target):
                break;
            case "status" when definition.HasStatus && StatusVerbs.Contains(target.Verb):
            case "scale" when definition.Scale is not null && StatusVerbs.Contains(target.Verb):
            case "finalize" when definition.GroupResource == "namespaces" && target.Verb == "update":
                break;
            case "" or "status" when definition.HasStatus || target.Subresource.Length == 0:
                await Answer.StatusAsync(context, Status.MethodNotAllowed());
                return;
            default:
                await Answer.StatusAsync(context, Status.UnknownPath());
                return;
        }

        if (resources.Find(definition.GroupResource) is { } resource)
        {
            await objects.AnswerAsync(context, resource, target);
        }
        else
        {
            await AccessReviews.AnswerAsync(context, definition, identity);
        }
    }

    /// <summary>Collections and objects have different verbs; a namespaced object is created in a namespace.</summary>
    private static bool IsServed(RequestTarget target) => target.Resource.Verbs.Contains(target.Verb) && target.Verb switch
    {
        "create" => target.Name.Length == 0 && target.Resource.Namespaced == target.Namespace.Length > 0,
        "update" or "patch" => target.Name.Length > 0,
        "deletecollection" => target.Resource.Namespaced == target.Namespace.Length > 0,
        _ => true,
    };

    private static bool IsHealth(string path) =>
        path is "/healthz" or "/livez" or "/readyz" or "/healthz/ping" or "/livez/ping" or "/readyz/ping";

    private static async Task FailAsync(HttpContext context, Status status)
    {
        if (context.Response.HasStarted)
        {
            // Half an answer must not look like a whole one.
            context.Abort();
            return;
        }

        context.Response.Clear();
        await Answer.StatusAsync(context, status);
    }

    private static void Count(HttpContext context, RequestTarget? target, TimeSpan duration)
    {
        // Paths and verbs that do not exist are one series together: clients choose them freely.
        var resource = target?.Resource.GroupResource ?? "";
        var verb = target is { Verb.Length: > 0 } ? target.Verb : "other";
        var code = context.Response.StatusCode.ToString(System.Globalization.CultureInfo.InvariantCulture);
        ApiServerMetrics.Requests.WithLabels(verb, resource, code).Inc();
        if (verb != "watch")
        {
            ApiServerMetrics.Duration.WithLabels(verb, resource).Observe(duration.TotalSeconds);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
        public static partial void Failed(ILogger logger, Exception failure, string method, string? path);
    }
}
