using System.Net;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli;

/// <summary>Makes of any exception what the user sees: a sentence and an exit code.</summary>
internal static class Failures
{
    public static (int ExitCode, string Message) Describe(Exception failure) => failure switch
    {
        CommandException command => (command.ExitCode, command.Message),
        NotFoundException missing => (ExitCodes.NotFound, missing.Message),
        ApiException { Code: HttpStatusCode.Unauthorized } => (
            ExitCodes.Unreachable, "the API server does not know you: the credentials in the kubeconfig are wrong or have expired"),
        ApiException refused => (ExitCodes.Failed, refused.Message),
        HttpOperationException refused => (ExitCodes.Failed, $"the API server refused: {Sentence(refused)}"),
        OperationCanceledException => (ExitCodes.Interrupted, "interrupted"),
        HttpRequestException unreachable => (ExitCodes.Unreachable, Reason(unreachable)),
        IOException or UnauthorizedAccessException => (ExitCodes.Failed, failure.Message),
        _ => (ExitCodes.Failed, $"this should not happen, please report it: {failure.GetType().Name}: {failure.Message}"),
    };

    private static string Sentence(HttpOperationException refused)
    {
        try
        {
            return KubernetesJson.Deserialize<V1Status>(refused.Response.Content).Message ?? refused.Message;
        }
        catch (JsonException)
        {
            return refused.Message;
        }
    }

    /// <summary>The innermost reason that tells a user something: "Connection refused", "certificate has expired".</summary>
    public static string Reason(Exception failure)
    {
        var inner = failure;
        while (inner.InnerException is { } next and not System.ComponentModel.Win32Exception)
        {
            inner = next;
        }

        return inner.Message;
    }
}
