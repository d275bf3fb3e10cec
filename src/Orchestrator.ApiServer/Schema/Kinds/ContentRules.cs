using System.Text.Json.Nodes;
using Orchestrator.Api.Contents;
using Orchestrator.ApiServer.Selectors;

namespace Orchestrator.ApiServer.Schema.Kinds;

/// <summary>Rules of a template's references to ConfigMaps and Secrets; Kubernetes' words where it has the same rule.</summary>
internal static class ContentRules
{
    /// <summary>Folders of the kernel, where an engine mounts nothing.</summary>
    private static readonly string[] KernelFolders = ["/proc", "/sys"];

    /// <inheritdoc cref="TemplateRules.Check"/>
    public static void Check(JsonObject template, string path, FieldErrors errors)
    {
        foreach (var (item, index) in template.Items("env"))
        {
            if (item is JsonObject variable && variable.ContainsKey("valueFrom"))
            {
                CheckVariable(variable, $"{path}.env[{index}].valueFrom", errors);
            }
        }

        foreach (var (item, index) in template.Items("envFrom"))
        {
            CheckOneSource(item as JsonObject, $"{path}.envFrom[{index}]", errors, "configMapRef", "secretRef");
        }

        var folders = new List<string>();
        foreach (var (item, index) in template.Items("files"))
        {
            if (item is JsonObject files)
            {
                CheckMountPath(files.Text("mountPath") ?? "", folders, $"{path}.files[{index}].mountPath", errors);
                CheckOneSource(files, $"{path}.files[{index}]", errors, "configMap", "secret");
            }
        }
    }

    private static void CheckVariable(JsonObject variable, string path, FieldErrors errors)
    {
        if (variable.Text("value") is { Length: > 0 })
        {
            errors.Add(FieldError.Invalid(path, "may not be specified when `value` is not empty"));
        }

        CheckOneSource(variable.Object("valueFrom"), path, errors, "configMapKeyRef", "secretKeyRef");
    }

    private static void CheckOneSource(JsonObject? parent, string path, FieldErrors errors, params ReadOnlySpan<string> sources)
    {
        string? first = null;
        foreach (var source in sources)
        {
            if (parent.Object(source) is not { } reference)
            {
                continue;
            }

            if (first is not null)
            {
                errors.Add(FieldError.Forbidden($"{path}.{source}", $"may not be specified beside `{first}`"));
            }

            first ??= source;
            if (reference.Text("name") is { Length: > 0 } name)
            {
                foreach (var fault in LabelNames.CheckSubdomain(name))
                {
                    errors.Add(FieldError.Invalid($"{path}.{source}.name", name, fault));
                }
            }

            CheckItems(reference, $"{path}.{source}.items", errors);
        }

        if (first is null)
        {
            errors.Add(FieldError.Required(path, $"must specify one of: `{string.Join("` or `", sources!)}`"));
        }
    }

    private static void CheckItems(JsonObject reference, string path, FieldErrors errors)
    {
        var taken = new List<string>();
        foreach (var (item, index) in reference.Items("items"))
        {
            if ((item as JsonObject).Text("path") is not { Length: > 0 } file)
            {
                continue;
            }

            var field = $"{path}[{index}].path";
            if (file.StartsWith('/'))
            {
                errors.Add(FieldError.Invalid(field, file, "must be a relative path"));
            }
            else if (!ContentFile.IsPath(file))
            {
                errors.Add(FieldError.Invalid(field, file, "must not have empty segments, nor the segments . or .."));
            }
            else if (taken.Find(other => IsWithin(file, other) || IsWithin(other, file)) is { } other)
            {
                errors.Add(FieldError.Invalid(field, file, other == file ? "is there twice" : $"cannot be a file beside {other}: one of them would be a folder"));
            }
            else
            {
                taken.Add(file);
            }
        }
    }

    private static void CheckMountPath(string folder, List<string> others, string path, FieldErrors errors)
    {
        if (!folder.StartsWith('/') || folder.Length < 2)
        {
            // The schema has said so.
            return;
        }

        if (folder.Contains(':', StringComparison.Ordinal))
        {
            errors.Add(FieldError.Invalid(path, folder, "must not contain ':'"));
        }
        else if (!ContentFile.IsPath(folder[1..]))
        {
            errors.Add(FieldError.Invalid(path, folder, "must not end with /, nor have empty segments or the segments . or .."));
        }
        else if (Array.Find(KernelFolders, kernel => IsWithin(folder, kernel)) is { } kernel)
        {
            errors.Add(FieldError.Invalid(path, folder, $"must not be within {kernel}"));
        }
        else if (others.Find(other => other != folder && (IsWithin(folder, other) || IsWithin(other, folder))) is { } other)
        {
            errors.Add(FieldError.Invalid(path, folder, $"must not be within or around {other}, which is mounted too"));
        }

        others.Add(folder);
    }

    private static bool IsWithin(string path, string folder) => path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal);
}
