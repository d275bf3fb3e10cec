using System.Net;
using System.Security.Authentication;
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
        OperationCanceledException => (ExitCodes.Interrupted, "interrupted"),
        HttpRequestException unreachable => (ExitCodes.Unreachable, Reason(unreachable)),
        IOException or UnauthorizedAccessException => (ExitCodes.Failed, failure.Message),
        _ => (ExitCodes.Failed, $"this should not happen, please report it: {failure.GetType().Name}: {failure.Message}"),
    };

    /// <summary>The innermost reason that tells a user something: "Connection refused", "certificate has expired".</summary>
    public static string Reason(Exception failure)
    {
        var inner = failure;
        while (inner.InnerException is { } next and not System.ComponentModel.Win32Exception)
        {
            inner = next;
        }

        return inner is AuthenticationException || ReferenceEquals(inner, failure) || failure.Message.Contains(inner.Message, StringComparison.Ordinal)
            ? inner.Message
            : $"{inner.Message}";
    }
}
