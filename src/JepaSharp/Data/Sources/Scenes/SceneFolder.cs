using System.Globalization;
using JepaSharp.Data.Sources.Scenes.Rendering;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Scenes;

/// <summary>Writes rendered scenes to disk: <c>images/scene_000000.png</c> and so on, and <c>scenes.json</c> with CLEVR's annotations.</summary>
public static class SceneFolder
{
    /// <summary>Name of the annotation file in the folder.</summary>
    public const string AnnotationFile = "scenes.json";

    /// <summary>Name of the folder of pictures in the folder.</summary>
    public const string ImageFolder = "images";

    private const string Unfinished = ".unfinished";

    /// <summary>File name of the picture of a scene.</summary>
    public static string FileNameOf(int index) => string.Create(CultureInfo.InvariantCulture, $"scene_{index:d6}.png");

    /// <summary>Renders scenes 0 to <paramref name="count"/> - 1 of a seed and writes them. Finished names appear only when all is written.</summary>
    /// <param name="directory">Made if missing; must hold nothing.</param>
    /// <param name="count">How many scenes, at least 1.</param>
    /// <param name="width">W in pixels, at least 8.</param>
    /// <param name="height">H in pixels, at least 8.</param>
    /// <param name="seed">Which world of scenes.</param>
    /// <param name="split">Name of the split in the annotations.</param>
    /// <param name="threads">How many threads, at least 1; the bytes are the same for any number.</param>
    /// <param name="progress">Told how many scenes are written, in no strict order.</param>
    /// <param name="cancellation">Stops the work and removes what was written.</param>
    /// <exception cref="JepaException">The output holds something, cannot be written, or a number is out of its range.</exception>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public static void Write(
        string directory, int count, int width, int height, ulong seed, string split = "new", int threads = 1,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        if (count < 1) throw new JepaException($"The number of scenes is {count}. Expected 1 or more.", isUsage: true);
        if (width < 8 || height < 8) throw new JepaException($"The picture size is {width}x{height}. Expected 8x8 or more.", isUsage: true);
        try
        {
            var isNew = RequireEmpty(directory);
            try
            {
                WriteUnfinished(directory, count, width, height, seed, split, threads, progress, cancellation);
                Renaming.OfFolder(Path.Combine(directory, ImageFolder + Unfinished), Path.Combine(directory, ImageFolder));
                Renaming.OfFile(Path.Combine(directory, AnnotationFile + Unfinished), Path.Combine(directory, AnnotationFile));
            }
            catch
            {
                Remove(directory, isNew);
                throw;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new JepaException($"{directory} cannot be written: {error.Message} Give --out a folder that can.", isUsage: false, error);
        }
    }

    private static bool RequireEmpty(string directory)
    {
        if (File.Exists(directory))
            throw new JepaException($"{directory} is a file. Expected a new or empty folder: give --out another name.", isUsage: true);
        var isNew = !Directory.Exists(directory);
        if (!isNew && Directory.EnumerateFileSystemEntries(directory).FirstOrDefault() is { } found)
        {
            throw new JepaException(
                $"{directory} already holds files ({Path.GetFileName(found)}, ...). Expected a new or empty folder, so that nothing is overwritten: "
                + "give --out another name, or empty this one.", isUsage: true);
        }

        Directory.CreateDirectory(directory);
        return isNew;
    }

    private static void WriteUnfinished(
        string directory, int count, int width, int height, ulong seed, string split, int threads, IProgress<int>? progress,
        CancellationToken cancellation)
    {
        var images = Directory.CreateDirectory(Path.Combine(directory, ImageFolder + Unfinished)).FullName;
        var scenes = new Scene[count];
        var done = 0;
        try
        {
            Parallel.For(0, count, new() { MaxDegreeOfParallelism = threads, CancellationToken = cancellation }, index =>
            {
                var setup = SceneGenerator.Draw(seed, index);
                scenes[index] = setup.Annotate(width, height, index, FileNameOf(index), split);
                File.WriteAllBytes(Path.Combine(images, FileNameOf(index)), SceneRenderer.Render(setup, width, height).ToPng());
                progress?.Report(Interlocked.Increment(ref done));
            });
        }
        catch (AggregateException several)
        {
            // One cause is enough for a message: all threads write to the same disk.
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }

        using var annotations = File.Create(Path.Combine(directory, AnnotationFile + Unfinished));
        var date = DateTime.UtcNow.ToString("MM/dd/yyyy", CultureInfo.InvariantCulture);
        SceneAnnotationWriter.Write(annotations, new(split, Date: date, License: "CC0 1.0"), scenes);
    }

    // Best effort: the failure that led here is the one to tell.
    private static void Remove(string directory, bool isNew)
    {
        try
        {
            foreach (var folder in new[] { ImageFolder, ImageFolder + Unfinished })
            {
                if (Directory.Exists(Path.Combine(directory, folder))) Directory.Delete(Path.Combine(directory, folder), recursive: true);
            }

            File.Delete(Path.Combine(directory, AnnotationFile + Unfinished));
            if (isNew) Directory.Delete(directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
        }
    }
}
