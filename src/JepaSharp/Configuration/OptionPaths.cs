using JepaSharp.Runtime;

namespace JepaSharp.Configuration;

/// <summary>The paths among the options, changed all alike.</summary>
internal static class OptionPaths
{
    /// <summary>With a leading <c>~/</c> made the home folder, as no shell does it in a file.</summary>
    public static PretrainOptions AtHome(PretrainOptions options) => With(options, HomePath.Expand, HomePath.Expand);

    /// <summary>Options with other paths.</summary>
    /// <param name="options">Options.</param>
    /// <param name="images">Changes what names images: a path, perhaps with more behind a '#'.</param>
    /// <param name="folder">Changes a plain path.</param>
    public static PretrainOptions With(PretrainOptions options, Func<string, string> images, Func<string, string> folder)
    {
        var data = options.Data;
        return options with
        {
            Data = data with
            {
                Path = Changed(data.Path, images),
                TestPath = Changed(data.TestPath, images),
                RootPath = Changed(data.RootPath, folder),
                ImageFolder = data.RootPath is null ? Changed(data.ImageFolder, images) : data.ImageFolder,
            },
            Logging = options.Logging with { Folder = Changed(options.Logging.Folder, folder) },
        };
    }

    private static string? Changed(string? path, Func<string, string> change) => string.IsNullOrWhiteSpace(path) ? path : change(path);
}
