// The form of an order: its fields, as the model's capability document has them, and the order that they make.

const LONG = new Set(["prompt", "negative_prompt", "script.text"]);
const TOGGLES = new Set(["audio", "watermark", "prompt_rewrite"]);
const TITLES = {
	"prompt": "Prompt", "negative_prompt": "What it should not show", "script.text": "Script",
	"script.audio": "Recording to speak", "avatar_id": "Avatar", "voice_id": "Voice", "duration_ms": "Length in seconds",
	"aspect_ratio": "Shape", "resolution": "Resolution", "size.width": "Width", "size.height": "Height",
	"fps": "Frames a second", "seed": "Seed", "audio": "Sound", "watermark": "Watermark", "sample_count": "Samples",
	"prompt_rewrite": "Improve the prompt", "background.color": "Background colour", "background.media": "Background picture",
	"end_user": "For whom",
};
// The rest is what few orders need.
const FIRST = ["prompt", "script.text", "script.audio", "avatar_id", "voice_id", "duration_ms", "aspect_ratio", "resolution"];

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const words = (name) => name.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());

export const modelsOf = (provider) => (provider?.capabilities?.models || [])
	.filter((model) => model.lifecycle?.stage !== "retired");

// The catalogue whose title says that it is for this parameter.
function catalogueFor(provider, path) {
	const kinds = Object.entries(provider?.capabilities?.catalogue || {});
	return kinds.find(([, kind]) => new RegExp(`\\bfor ${path}\\b`).test(kind.title || ""))?.[0];
}

function kindOf(provider, path, limits) {
	if (limits.forms) return "file";
	if (TOGGLES.has(path)) return "toggle";
	if (limits.values) return "choice";
	if (LONG.has(path)) return "text";
	if ("min" in limits || "max" in limits || "step" in limits) return "number";
	return catalogueFor(provider, path) ? "catalogue" : "line";
}

// Extras that are one value each; what is nested is given as JSON.
function extraFields(schema) {
	return Object.entries(schema?.properties || {}).map(([name, property]) => ({
		path: `extras.${name}`,
		title: property.title || words(name),
		help: property.description,
		kind: property.enum ? "choice" : property.type === "boolean" ? "yesno"
			: ["integer", "number"].includes(property.type) ? "number" : property.type === "string" ? "line" : "json",
		values: property.enum,
		min: property.minimum,
		max: property.maximum,
		default: property.default,
	}));
}

function field(provider, path, limits) {
	const scale = path === "duration_ms" ? 1000 : 1;
	const scaled = (value) => (typeof value === "number" ? value / scale : value);

	return {
		path, scale, title: TITLES[path] || words(path), help: limits.help, kind: kindOf(provider, path, limits),
		values: limits.values?.map(scaled), default: scaled(limits.default), min: scaled(limits.min), max: scaled(limits.max),
		step: scaled(limits.step), isRequired: limits.required === true, maxLength: limits.max_length,
		catalogue: catalogueFor(provider, path), mediaTypes: limits.media_types,
	};
}

// { first, more, media }: the fields in the order in which they are shown.
export function fieldsOf(provider, model) {
	const all = Object.entries(model?.parameters || {}).map(([path, limits]) => field(provider, path, limits));
	const media = (model?.media || []).map((row) => ({ ...row, title: words(row.role), path: `media.${row.role}.${row.kind}` }));

	return {
		first: all.filter((one) => FIRST.includes(one.path)).sort((a, b) => FIRST.indexOf(a.path) - FIRST.indexOf(b.path)),
		more: [...all.filter((one) => !FIRST.includes(one.path)), ...extraFields(model?.extras)],
		media,
	};
}

// ---- values to parameters ----

function valueOf(one, text) {
	if (one.kind === "toggle") return text === "on" ? "TOGGLE_ON" : "TOGGLE_OFF";
	if (one.kind === "yesno") return text === "yes";
	if (one.kind === "json") return JSON.parse(text);
	if (one.path === "duration_ms") return `${Number(text)}s`;
	if (one.path === "seed") return text.trim();
	if (one.kind === "number" || typeof one.values?.[0] === "number") return Number(text);
	return text;
}

const media = (kind, role, { asset, url }) => ({
	kind: `MEDIA_KIND_${kind.toUpperCase()}`, ...(role && { role: `MEDIA_ROLE_${role.toUpperCase()}` }),
	...(asset ? { asset: asset.name } : { url }),
});

function put(parameters, one, value) {
	const [head, tail] = one.path.split(/\.(.*)/s);

	if (one.kind === "file") value = media(head === "script" ? "audio" : "image", "", value);
	if (one.path === "duration_ms") parameters.duration = value;
	else if (tail) parameters[camel(head)] = { ...parameters[camel(head)], [head === "extras" ? tail : camel(tail)]: value };
	else parameters[camel(head)] = value;
}

// @values: by path: texts, and for media lists of { asset } or { url }. Throws with the field that cannot be read.
export function parametersOf(fields, values) {
	const parameters = {};

	for (const one of [...fields.first, ...fields.more]) {
		const value = values[one.path];
		if (value === undefined || value === "" || value === null) continue;
		try {
			put(parameters, one, one.kind === "file" ? value : valueOf(one, value));
		} catch {
			throw Object.assign(new Error(`${one.title} is not JSON`), { path: one.path });
		}
	}
	const files = fields.media.flatMap((row) => (values[row.path] || []).map((file) => media(row.kind, row.role, file)));
	return files.length ? { ...parameters, media: files } : parameters;
}

// ---- parameters to values, of an earlier job ----

function textOf(one, value) {
	if (one.kind === "toggle") return value === "TOGGLE_ON" ? "on" : "off";
	if (one.kind === "yesno") return value ? "yes" : "no";
	if (one.kind === "json") return JSON.stringify(value);
	if (one.path === "duration_ms") return String(Number(value.slice(0, -1)));
	return String(value);
}

const fileOf = ({ asset, url }) => (asset ? { asset: { name: asset } } : { url });

export function valuesOf(fields, parameters = {}) {
	const values = {};

	for (const one of [...fields.first, ...fields.more]) {
		const [head, tail] = one.path.split(/\.(.*)/s);
		const value = one.path === "duration_ms" ? parameters.duration
			: tail ? parameters[camel(head)]?.[head === "extras" ? tail : camel(tail)] : parameters[camel(head)];
		if (value === undefined || value === "") continue;
		values[one.path] = one.kind === "file" ? fileOf(value) : textOf(one, value);
	}
	for (const file of parameters.media || []) {
		const row = fields.media.find(({ kind, role }) => file.kind === `MEDIA_KIND_${kind.toUpperCase()}` &&
			file.role === `MEDIA_ROLE_${role.toUpperCase()}`);
		if (row && (file.asset || file.url)) values[row.path] = [...(values[row.path] || []), fileOf(file)];
	}
	return values;
}

// ---- what is wrong ----

// "job.parameters.duration" is the field duration_ms.
function pathOf(fields, violation) {
	const name = violation.field.replace(/^job\./, "").replace(/^parameters\./, "");
	const all = [...fields.first, ...fields.more];
	const exact = all.find((one) => one.path === name || one.path === `${name}_ms`);

	if (exact) return exact.path;
	if (name.startsWith("media")) return fields.media.find((row) => name.includes(row.role))?.path || fields.media[0]?.path;
	return all.find((one) => name.startsWith(one.path) || one.path.startsWith(`${name}.`))?.path;
}

// Words by the path of their field; what belongs to none is under "".
export function faultsOf(fields, error) {
	const faults = {};

	for (const violation of error.violations || []) {
		const path = pathOf(fields, violation) || "";
		faults[path] ??= violation.description;
	}
	if (error.path) faults[error.path] = error.message;
	if (!Object.keys(faults).length) faults[""] = error.message;
	return faults;
}
