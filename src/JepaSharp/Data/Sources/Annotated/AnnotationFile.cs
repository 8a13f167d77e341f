using System.Text.Json;
using System.Text.Json.Serialization;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Annotated;

/// <summary>The parts of a COCO-like annotation file that say which images there are and what is on them; all else is passed over.</summary>
internal sealed record AnnotationFile
{
    [JsonPropertyName("images")]
    public IReadOnlyList<Picture>? Images { get; init; }

    [JsonPropertyName("annotations")]
    public IReadOnlyList<Annotation>? Annotations { get; init; }

    [JsonPropertyName("categories")]
    public IReadOnlyList<Category>? Categories { get; init; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="JepaException">It is missing, no JSON, or names no images.</exception>
    public static AnnotationFile Read(string path)
    {
        const string expected = "Expected \"images\" with \"id\" and \"file_name\", \"annotations\" with \"image_id\" and \"category_id\", and "
            + "\"categories\", as COCO and iNaturalist have them; of CLEVR give the folder.";
        try
        {
            using var stream = RegularFile.OpenRead(path);
            var file = JsonSerializer.Deserialize<AnnotationFile>(stream);
            if (file?.Images is not { Count: > 0 } images) throw new JepaException($"{path} names no images. {expected}", isUsage: true);
            if (images.Index().Where(i => string.IsNullOrEmpty(i.Item?.FileName)).Select(i => i.Index + 1).FirstOrDefault() is > 0 and var nameless)
                throw new JepaException($"{path}: image {nameless:N0} of {images.Count:N0} has no \"file_name\". {expected}", isUsage: true);
            return file with { Annotations = WithoutNulls(file.Annotations), Categories = WithoutNulls(file.Categories) };
        }
        catch (JsonException e)
        {
            throw new JepaException($"{path} is no annotation file: {e.Message} {expected}", isUsage: true, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JepaException($"{path} cannot be read: {e.Message}", isUsage: true, e);
        }
    }

    private static T[] WithoutNulls<T>(IReadOnlyList<T>? list) => [.. (list ?? []).Where(item => item is not null)];

    /// <summary>An image; without an id none of the annotations is of it.</summary>
    internal sealed record Picture([property: JsonPropertyName("id")] long? Id, [property: JsonPropertyName("file_name")] string? FileName);

    /// <summary>Something on an image; a caption has no category.</summary>
    internal sealed record Annotation([property: JsonPropertyName("image_id")] long? ImageId,
        [property: JsonPropertyName("category_id")] long? CategoryId);

    /// <summary>A class.</summary>
    internal sealed record Category(
        [property: JsonPropertyName("id")] long? Id, [property: JsonPropertyName("name")] string? Name,
            [property: JsonPropertyName("supercategory")] string? SuperCategory);
}
