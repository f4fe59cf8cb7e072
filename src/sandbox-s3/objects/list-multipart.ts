/** ListMultipartUploads: the first page. */

import { OWNER_XML } from "../buckets/bucket-operations.ts";
import type { StoreState } from "../buckets/store-state.ts";
import { type Answer, xmlAnswer } from "../protocol/answer.ts";
import { readListingParameters, refuseParameters } from "../protocol/listing-parameters.ts";
import type { S3Request } from "../protocol/s3-request.ts";
import { element } from "../protocol/xml.ts";

/** Lists the open uploads of a bucket. */
export function listMultipartUploads(state: StoreState, request: S3Request): Answer {
  const { bucket } = request.target;
  state.bucket(bucket);
  const parameters = readListingParameters(request, "max-uploads");
  refuseParameters(request, ["key-marker", "upload-id-marker"]);
  const matching = state.uploads
    .inBucket(bucket)
    .filter((upload) => upload.plan.key.startsWith(parameters.prefix));
  const page = matching.slice(0, parameters.maxItems);
  const uploads = page.map(
    ({ uploadId, plan, initiatedMs }) =>
      `<Upload>${parameters.nameElement("Key", plan.key)}${element("UploadId", uploadId)}<Initiator>${element("ID", plan.initiator)}</Initiator>${OWNER_XML}${element("StorageClass", plan.contents.storageClass)}${element("Initiated", state.clock.isoDate(initiatedMs))}</Upload>`,
  );
  const content =
    element("Bucket", bucket) +
    parameters.nameElement("Prefix", parameters.prefix) +
    parameters.encodingElement +
    element("MaxUploads", parameters.maxItems) +
    element("IsTruncated", String(page.length < matching.length)) +
    uploads.join("");
  return xmlAnswer("ListMultipartUploadsResult", content);
}
