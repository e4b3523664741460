export const stringsAndPictures = {};
